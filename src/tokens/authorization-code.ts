import type { Act } from '../audit/act.ts'
import type { RecordedEvent } from '../audit/event.ts'
import type { AuthorizationDetail } from '../oauth/authorization-details.ts'
import type { ClaimsRequest } from '../oauth/claims-request.ts'
import type { Scope } from '../oauth/scope.ts'
import type { Authentication, Login, LoginStanding } from './login.ts'
import type { NewFamily } from './new-family.ts'

/** What a code stands for. */
export type CodeGrant = Login &
  Authentication & {
    readonly scope: Scope
    readonly audience: readonly string[] | null
    readonly authorizationDetails: readonly AuthorizationDetail[] | null
    readonly claimsRequest: ClaimsRequest | null
    readonly nonce: string | null
  }

/** What a token request shows of the authorization request that it belongs to. */
export type PresentedCode = {
  readonly digest: Buffer
  readonly clientId: string
  readonly redirectUri: string | undefined
  /** S256 of the verifier (RFC 7636 §4.6). */
  readonly codeChallenge: string | undefined
  /** Thumbprint of the DPoP key that it proved to hold. */
  readonly dpopJkt: string | undefined
}

/** What is known of a code that was not redeemed. */
export type CodeState = {
  readonly clientId: string
  readonly userId: string
  readonly sessionId: string
  readonly redirectUri: string
  readonly redirectUriStated: boolean
  readonly codeChallenge: string | null
  readonly dpopJkt: string | null
  readonly used: boolean
  readonly expired: boolean
  /** What the first use gave. */
  readonly familyId: string | null
}

export type CodeRefusal =
  | 'unknown'
  | 'wrong_client'
  | 'wrong_redirect_uri'
  | 'wrong_verifier'
  | 'wrong_key'
  | 'reused'
  | 'expired'

/**
 * Why a code was not redeemed; pure and total. Who lacks a proof learns nothing else about the code,
 * and changes nothing: only a second use with all proofs ends what the first one gave (OAuth 2.1
 * §4.1.3). `again`: nothing speaks against it any more.
 */
export const judgeCode = (
  state: CodeState | undefined,
  presented: PresentedCode,
): CodeRefusal | 'again' => {
  if (state === undefined) return 'unknown'
  if (state.clientId !== presented.clientId) return 'wrong_client'
  if (!isRightRedirectUri(state, presented.redirectUri)) return 'wrong_redirect_uri'
  // Both ways: no verifier without a challenge (RFC 9700 §4.8.2).
  if (state.codeChallenge !== (presented.codeChallenge ?? null)) return 'wrong_verifier'
  if (state.dpopJkt !== null && state.dpopJkt !== presented.dpopJkt) return 'wrong_key'
  if (state.used) return 'reused'
  return state.expired ? 'expired' : 'again'
}

// OAuth 2.1 needs it no more where PKCE binds the code; what is sent is compared all the same.
const isRightRedirectUri = (state: CodeState, presented: string | undefined): boolean =>
  presented === undefined
    ? !state.redirectUriStated || state.codeChallenge !== null
    : presented === state.redirectUri

/** What the first tokens are made of. */
export type RedeemedCode = {
  readonly grant: CodeGrant
  readonly standing: LoginStanding
  readonly familyId: string
}

/** Makes what a code gives: a family, where the client may have a refresh token. */
export type OpenCode = (grant: CodeGrant) => {
  /** `fam` of its tokens, also without a family. */
  readonly familyId: string
  readonly family: NewFamily | undefined
}

export type AuthorizationCodeStore = {
  /**
   * One transaction: redeems the code, begins the family and tells of it. `login_ended`: the code is
   * used up, but the person has signed out or was disabled meanwhile.
   * @returns undefined when anything speaks against the code.
   */
  redeem(
    presented: PresentedCode,
    open: OpenCode,
    act: Act,
  ): Promise<RedeemedCode | 'login_ended' | undefined>
  /** Reads what was not redeemed, in a statement of its own. */
  inspect(digest: Buffer): Promise<CodeState | undefined>
  /**
   * Ends what the first use gave, with its entry and event; once.
   * @returns false when that was done before.
   */
  endReused(digest: Buffer, familyId: string, event: RecordedEvent): Promise<boolean>
}
