import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { User } from '../accounts/user.ts'
import { type Permission, permits } from '../oauth/permission.ts'
import { Problem } from '../oauth/problem.ts'
import type { AccessTokenVerifier } from '../tokens/verifier.ts'
import { bearerOf, requireBearer } from './bearer.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What an account needs to have for this route of the admin API. */
    permission?: Permission
  }
  interface FastifyRequest {
    /** Who administers; read it with `administratorOf`. */
    administrator?: User
  }
}

type Options = {
  readonly verifier: AccessTokenVerifier
  readonly issuer: string
  /** The account as it is now. */
  readonly findUser: (id: string) => Promise<User | undefined>
}

/**
 * Guards every route of a scope by the permission that its `config` names; a route that names none
 * is a mistake of the program, and the service does not start with it. What counts is what the
 * account may do now, by the database, never what the token says that it could when it was issued:
 * a role that is taken away is gone with the answer, on every node.
 * @throws {Problem} what `requireBearer` throws; `permission_denied`; `password_change_required`
 */
export const guardByPermission = (app: FastifyInstance, options: Options): void => {
  const authenticate = requireBearer(options.verifier, options.issuer, 'admin')
  app.addHook('onRoute', ({ url, config }) => {
    if (config?.permission === undefined) throw new TypeError(`${url} names no permission`)
  })
  app.addHook('onRequest', async (request, reply) => {
    await authenticate.call(app, request, reply)
    request.administrator = await findAdministrator(options, request)
  })
}

const findAdministrator = async ({ findUser }: Options, request: FastifyRequest): Promise<User> => {
  const user = await findUser(bearerOf(request).subject)
  if (user?.status !== 'active') throw new Problem('revoked_token')
  if (user.mustChangePassword) throw new Problem('password_change_required')
  const { permission } = request.routeOptions.config
  if (permission === undefined || !permits(user.permissions, permission)) {
    throw new Problem('permission_denied', { detail: `This needs the permission ${permission}` })
  }
  return user
}

/**
 * @returns the account that the guard let pass, as it was then
 * @throws {TypeError} outside of the guarded scope: a mistake of the program
 */
export const administratorOf = (request: FastifyRequest): User => {
  if (request.administrator === undefined) throw new TypeError('this route is not guarded')
  return request.administrator
}
