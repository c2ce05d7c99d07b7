import type { Origin } from '../audit/event.ts'
import type { AuthorizationDetail } from '../oauth/authorization-details.ts'
import type { Scope } from '../oauth/scope.ts'
import { sha256 } from '../secrets/digest.ts'
import type { RefreshTokenParts } from '../secrets/refresh-token.ts'
import { networkPrefix } from './network-prefix.ts'
import type { RefreshPolicy } from './refresh-family.ts'

export type RefreshRequest = {
  readonly refreshToken: string
  readonly clientId: string
  readonly policy: RefreshPolicy
  /** Narrows the access token; the family keeps its scope (RFC 6749 §6). */
  readonly scope?: Scope
  /** Narrows the access token's audience; the family keeps its own (RFC 8707 §2.2). */
  readonly audience?: readonly string[]
  /** Narrows what of the family's details the access token has (RFC 9396 §6). */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /** Key that the request has proved (see oauth/confirmation.ts); bearer clients have none. */
  readonly confirmation?: string
  readonly origin: Origin
}

/** Requests with the same text are the same question. */
export const questionOf = ({ origin, ...request }: RefreshRequest): string =>
  JSON.stringify([request, networkPrefix(origin.address), origin.userAgent])

/**
 * Mixed with the presented secret (32 random bytes, of one length), which is stored nowhere: a leaked row does not tell where
 * somebody was, and only a retry of the same token can be compared with it.
 */
export const digestOrigin = (
  { secret }: RefreshTokenParts,
  { address, userAgent }: Origin,
): Buffer =>
  sha256(
    Buffer.concat([
      Buffer.from('tessera refresh origin 1'),
      secret,
      Buffer.from(JSON.stringify([networkPrefix(address), userAgent ?? ''])),
    ]),
  ).subarray(0, 16)
