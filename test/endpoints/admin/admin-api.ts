import type { Test } from 'tap'
import type { Permission } from '../../../src/oauth/permission.ts'
import { type Api, byCli, startApi } from '../auth/api.ts'

/** The service with its admin API, and people who may use some of it. */
export const startAdminApi = async (
  t: Test,
  environment: Readonly<Record<string, string>> = {},
) => {
  // These tests ask more, and faster, than people do.
  const api = await startApi(t, { RATE_LIMIT_ADMIN: 'off', ...environment })
  return { ...api, ...administer(api) }
}

export type AdminApi = Awaited<ReturnType<typeof startAdminApi>>

const administer = ({ deps, join, signIn, request }: Api) => {
  /** Somebody with a role of the service, signed in. */
  const joinWithRole = async (role: string) => {
    const person = await join()
    await deps.userAdministration.grantRole(person.id, role, byCli)
    return { ...person, ...(await signIn(person)) }
  }

  return {
    joinWithRole,
    /** Somebody with the built-in role, signed in. */
    joinAdmin: () => joinWithRole('admin'),
    /** Somebody who is permitted this and nothing else, signed in. */
    async joinPermitted(...permissions: readonly Permission[]) {
      const name = `role-${crypto.randomUUID()}`
      await deps.roleAdministration.setRole({ name, permissions }, byCli, ['admin'])
      return { ...(await joinWithRole(name)), role: name }
    },
    put: (url: string, body: object, token: string) =>
      request({
        method: 'PUT',
        url,
        payload: body,
        headers: { authorization: `Bearer ${token}` },
      }),
  }
}

/** Every operation of the admin API, with the permission that its description names. */
export const adminRoutes = ({ app }: Pick<Api, 'app'>): AdminRoute[] => {
  const { paths } = app.swagger() as unknown as { paths: Record<string, Described> }
  return Object.entries(paths)
    .filter(([path]) => path.startsWith('/admin'))
    .flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, { description }]) => ({
        method: method.toUpperCase() as AdminRoute['method'],
        path,
        url: path.replace(/\{\w+\}/g, crypto.randomUUID()),
        permission: /Needs the permission `([a-z.]+)`/.exec(description)?.[1] as Permission,
      })),
    )
}

type Described = Record<string, { readonly description: string }>

export type AdminRoute = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  /** With ids that nothing has. */
  readonly url: string
  readonly permission: Permission
}
