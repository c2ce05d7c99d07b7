import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { DelegatedAct } from '../../accounts/delegated-administration.ts'
import type { Permission } from '../../oauth/permission.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { accountReference, toWireAccount } from './account-schema.ts'
import { type AdminDeps, administering, adminProblems, adminRoute } from './admin-deps.ts'

const response = {
  200: accountReference,
  ...problemResponses(...adminProblems, ...bodyProblems, 'not_found', 'own_account', 'last_admin'),
}
const actSchema = { params: Type.Object({ id: Type.String() }), response }
const roleSchema = {
  params: Type.Object({ id: Type.String(), role: Type.String() }),
  response,
}

type Entry = readonly [path: string, act: DelegatedAct, permission: Permission, summary: string]

const acts: readonly Entry[] = [
  ['disable', 'disableUser', 'users.write', 'Refuse a person, and end all sessions'],
  ['enable', 'enableUser', 'users.write', 'Let a disabled person sign in again'],
  ['unlock', 'unlockUser', 'users.write', 'Let a person try to sign in after too many failures'],
  ['end-sessions', 'endSessions', 'sessions.write', 'End all sessions of a person'],
  [
    'force-password-change',
    'forcePasswordChange',
    'users.write',
    'End all sessions, and permit nothing until the password is changed',
  ],
  ['restore', 'restoreUser', 'users.write', 'Make a deleted account a disabled one'],
]

/** Acts on one account; all are idempotent and answer with the account as it is then. */
export const userActs: FastifyPluginAsyncTypebox<AdminDeps> = async (
  app,
  { delegatedAdministration: administration },
) => {
  for (const [path, act, permission, summary] of acts) {
    app.post(
      `/admin/users/:id/${path}`,
      adminRoute(permission, summary, actSchema),
      async (request) =>
        toWireAccount(await administration.perform(act, request.params.id, administering(request))),
    )
  }

  app.delete(
    '/admin/users/:id',
    adminRoute('users.write', 'Delete an account, which can be restored for a time', actSchema),
    async (request) =>
      toWireAccount(
        await administration.perform('deleteUser', request.params.id, administering(request)),
      ),
  )

  app.put(
    '/admin/users/:id/roles/:role',
    adminRoute('roles.write', 'Give a person a role', roleSchema),
    async (request) => {
      const { id, role } = request.params
      return toWireAccount(await administration.grantRole(id, role, administering(request)))
    },
  )

  app.delete(
    '/admin/users/:id/roles/:role',
    adminRoute('roles.write', 'Take a role from a person', roleSchema),
    async (request) => {
      const { id, role } = request.params
      return toWireAccount(await administration.revokeRole(id, role, administering(request)))
    },
  )
}
