import type { FastifyRequest } from 'fastify'
import type { Administrator } from '../../accounts/delegated-administration.ts'
import type { Act } from '../../audit/act.ts'
import type { Deps } from '../../deps.ts'
import type { Permission } from '../../oauth/permission.ts'
import type { ProblemCode } from '../../oauth/problem.ts'
import { administratorOf } from '../../plugins/permission.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { bearerProblems } from '../auth/auth-deps.ts'

/** What the admin API works with. */
export type AdminDeps = Pick<
  Deps,
  | 'assertionIssuerAdministration'
  | 'audienceAdministration'
  | 'auditLog'
  | 'clientAdministration'
  | 'config'
  | 'delegatedAdministration'
  | 'detailsTypeAdministration'
  | 'familyStories'
  | 'keyAdministration'
  | 'registrationTokenAdministration'
  | 'roleAdministration'
  | 'userAdministration'
  | 'verifier'
>

/** How the audit log names what an administrator does. */
export const actOf = (request: FastifyRequest): Act => ({
  actor: administratorOf(request).id,
  origin: originOf(request),
})

/** The person who asks, with what the account may do now. */
export const administering = (request: FastifyRequest): Administrator => ({
  permissions: administratorOf(request).permissions,
  act: actOf(request),
})

/** A body of which nothing is needed may be left out (a hook for preValidation). */
export const orEmptyBody = async (request: FastifyRequest): Promise<void> => {
  if (request.body === undefined) request.body = {}
}

/** What every route of the admin API may answer. */
export const adminProblems = [
  ...bearerProblems,
  'permission_denied',
  'password_change_required',
] as const satisfies readonly ProblemCode[]

/**
 * Options of a route of the admin API.
 * @param permission what an account needs to have for it
 */
export const adminRoute = <S extends object>(
  permission: Permission,
  summary: string,
  schema: S,
) => ({
  schema: {
    summary,
    description: `Needs the permission \`${permission}\`.`,
    tags: ['Administration'],
    security: [{ bearer: ['admin'] }],
    ...schema,
  },
  config: { permission },
})
