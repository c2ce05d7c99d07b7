import type { AuthorizationDetail } from '../oauth/authorization-details.ts'
import type { Confirmation } from '../oauth/confirmation.ts'
import type { Scope } from '../oauth/scope.ts'

/** Who acts for the subject (RFC 8693 §4.1), the newest outermost. */
export type Actor = { readonly sub: string; readonly iss?: string; readonly act?: Actor }

/** What a grant proved: who may do what, where. Plain values; the issuer turns it into tokens. */
export type Authorization = {
  readonly clientId: string
  /** `sub`: a user id, or the client id for client credentials (RFC 9068 §2.2). */
  readonly subject: string
  readonly scope: Scope
  /** Never empty. */
  readonly audience: readonly string[]
  /** The user's part; absent for a machine. */
  readonly user?: {
    readonly roles: readonly string[]
    readonly permissions: readonly string[]
    readonly authTime: Date
    readonly amr: readonly string[]
    readonly acr?: string
  }
  /** `sid`; absent for machines and offline families. */
  readonly sessionId?: string
  /** `fam`; absent where no refresh token was given. */
  readonly familyId?: string
  /** `cnf`: the key that the access token is bound to; absent for bearer tokens. */
  readonly confirmation?: Confirmation
  /** As granted (RFC 9396 §7). */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /** `act`; absent unless somebody acts for the subject. */
  readonly actor?: Actor
  /** The database's time of the act; `iat` (refresh-token families decide by one clock). */
  readonly issuedAt: Date
  /** The end of what the token derives from; the token never outlives it. */
  readonly notAfter?: Date
}

/** What a token endpoint answers with (RFC 6749 §5.1), still without wire names. */
export type TokenSet = {
  readonly accessToken: string
  readonly tokenType: 'Bearer' | 'DPoP'
  /** Seconds. */
  readonly expiresIn: number
  readonly refreshToken?: string
  readonly idToken?: string
  readonly scope: Scope
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /** RFC 8693 §2.2.1; only from a token exchange. */
  readonly issuedTokenType?: string
}

/** A set that can be renewed. */
export type RenewableTokens = TokenSet & { readonly refreshToken: string }
