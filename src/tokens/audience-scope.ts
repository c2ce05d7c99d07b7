import { isOwnScope } from '../oauth/own-scope.ts'
import type { Scope } from '../oauth/scope.ts'
import { openidScopes } from '../oauth/standard-claims.ts'

/**
 * What of a scope one token may carry for all these audiences: what each that says which scopes it
 * knows does know. One that is known to some of them only would mean something to the others that
 * nobody has allowed (RFC 9068 §5). Scopes of our own mean the same everywhere.
 *
 * @param known by an audience; undefined: it does not say
 */
export const scopeFor = (
  scope: Scope,
  audience: readonly string[],
  known: (audience: string) => Scope | undefined,
): Scope =>
  scope.filter(
    (token) => isOurs(token) || audience.every((name) => known(name)?.includes(token) !== false),
  )

const isOurs = (token: string): boolean =>
  isOwnScope(token) || openidScopes.some((known) => known === token)
