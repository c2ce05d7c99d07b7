import { isPermission } from './permission.ts'
import type { Scope } from './scope.ts'

/** Scopes of the service's own API; no client but the built-in one gets them unless it is told to. */
export const ownScopes = ['account', 'admin'] as const
export type OwnScope = (typeof ownScopes)[number]

export const isOwnScope = (token: string): token is OwnScope =>
  ownScopes.some((scope) => scope === token)

/** What a person may have of a scope: `admin` as long as any permission of the admin API lasts. */
export const permittedScope = (scope: Scope, permissions: readonly string[]): Scope =>
  scope.filter((token) => token !== 'admin' || permissions.some(isPermission))
