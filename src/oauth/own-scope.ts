import { isPermission } from './permission.ts'
import type { Scope } from './scope.ts'

/** Scopes of the service's own API; no client but the built-in one gets them unless it is told to. */
export const ownScopes = ['account', 'admin'] as const
export type OwnScope = (typeof ownScopes)[number] | 'password'

/** All that a sign-in may do as long as the password must be changed. */
export const passwordScope: Scope = ['password']

/** Whether tokens of this scope are for a change of the password alone. */
export const isPasswordOnly = (scope: Scope): boolean =>
  scope.length === 1 && scope[0] === 'password'

export const isOwnScope = (token: string): token is OwnScope =>
  token === 'password' || ownScopes.some((scope) => scope === token)

/** What a person may have of a scope: `admin` as long as any permission of the admin API lasts. */
export const permittedScope = (scope: Scope, permissions: readonly string[]): Scope =>
  scope.filter((token) => token !== 'admin' || permissions.some(isPermission))
