import { addSeconds } from '../clock.ts'
import type { AuthorizationDetail } from '../oauth/authorization-details.ts'
import type { Confirmation } from '../oauth/confirmation.ts'
import { permittedScope } from '../oauth/own-scope.ts'
import type { Scope } from '../oauth/scope.ts'
import type { Authorization } from './authorization.ts'
import type { Authentication, Login, LoginStanding } from './login.ts'

/** What a person authorized a client to do. */
export type LoginGrant = {
  readonly clientId: string
  readonly scope: Scope
  readonly audience: readonly string[]
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  readonly confirmation?: Confirmation | undefined
  /** `fam`; also where there is no refresh token, so that what was given can be taken back. */
  readonly familyId: string
  /** Its tokens carry no `sid`. */
  readonly offline: boolean
  /** Of the family. */
  readonly ttlSeconds: number
}

/** The first tokens of an authorization: what of its scope the person is permitted now. */
export const authorizationOfLogin = (
  { userId, sessionId }: Pick<Login, 'userId' | 'sessionId'>,
  { authTime, amr, acr }: Authentication,
  { roles, permissions, now }: Omit<LoginStanding, 'version'>,
  grant: LoginGrant,
): Authorization => ({
  clientId: grant.clientId,
  subject: userId,
  scope: permittedScope(grant.scope, permissions),
  audience: grant.audience,
  user: { roles, permissions, authTime, amr, ...(acr === null ? {} : { acr }) },
  ...(grant.offline ? {} : { sessionId }),
  familyId: grant.familyId,
  ...(grant.confirmation === undefined ? {} : { confirmation: grant.confirmation }),
  ...(grant.authorizationDetails === undefined
    ? {}
    : { authorizationDetails: grant.authorizationDetails }),
  issuedAt: now,
  notAfter: addSeconds(now, grant.ttlSeconds),
})
