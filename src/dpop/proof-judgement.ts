import { addSeconds } from '../clock.ts'
import { sha256 } from '../secrets/digest.ts'
import { nonceLifetimeSeconds } from './nonces.ts'
import type { DpopProof } from './proof.ts'
import { toProofUrl } from './proof-url.ts'

/** The request that a proof came with. */
export type ProvenRequest = {
  readonly method: string
  /** The addresses that it may have been sent to, by what clients know the service as. */
  readonly urls: readonly string[]
  /** That is presented beside the proof; a request for tokens has none. */
  readonly accessToken?: string
  readonly demandsNonce: boolean
}

export type ProofError = 'invalid_dpop_proof' | 'use_dpop_nonce'
export type RefusedProof = { readonly error: ProofError; readonly reason: string }

/** When a proof can have been used: what has to be remembered of it. */
export type ProofSpan = { readonly notBefore: Date; readonly notAfter: Date }

/** Seconds that `iat` may be off, either way, where nothing but it tells when a proof was made. */
export const proofWindowSeconds = 60
/** Where a nonce tells that; clocks of phones are not always right. */
export const proofWindowWithNonceSeconds = 300

/**
 * Whether a proof is for this request and was made for it now (RFC 9449 §4.3, checks 8 to 12): a
 * pure function.
 * @param nonceTime when the proof's nonce was made; undefined: it has none, or no good one
 */
export const judgeProof = (
  proof: DpopProof,
  request: ProvenRequest,
  nonceTime: Date | undefined,
  now: Date,
): ProofSpan | RefusedProof => {
  const mismatch = findMismatch(proof, request)
  if (mismatch !== undefined) return invalid(mismatch)
  const widest = spanOf(proof, undefined, proofWindowWithNonceSeconds)
  if (!isWithin(widest, now)) return invalid('The iat of the DPoP proof is too far from now')
  if (nonceTime !== undefined) return spanOf(proof, nonceTime, proofWindowWithNonceSeconds)
  // An old nonce, or that of another server, is no forgery: with a new one the proof would do.
  if (proof.nonce !== undefined) return demandNonce('The nonce of the DPoP proof is too old')
  if (request.demandsNonce) return demandNonce('The DPoP proof needs the nonce of this answer')
  const span = spanOf(proof, undefined, proofWindowSeconds)
  return isWithin(span, now) ? span : invalid('The iat of the DPoP proof is too far from now')
}

const findMismatch = (proof: DpopProof, request: ProvenRequest): string | undefined => {
  if (proof.method !== request.method) return 'The htm of the DPoP proof is not the method'
  const url = toProofUrl(proof.url)
  if (url === undefined || !request.urls.some((known) => toProofUrl(known) === url)) {
    return 'The htu of the DPoP proof is not the address of this endpoint'
  }
  if (request.accessToken === undefined) return undefined
  return proof.accessTokenHash === hashAccessToken(request.accessToken)
    ? undefined
    : 'The ath of the DPoP proof is not that of the access token'
}

/** `ath` (RFC 9449 §4.2): of exactly the text that is presented. */
export const hashAccessToken = (accessToken: string): string =>
  sha256(accessToken).toString('base64url')

const spanOf = (
  { issuedAt }: DpopProof,
  nonceTime: Date | undefined,
  windowSeconds: number,
): ProofSpan => {
  const span = {
    notBefore: addSeconds(issuedAt, -windowSeconds),
    notAfter: addSeconds(issuedAt, windowSeconds),
  }
  return nonceTime === undefined
    ? span
    : overlap(span, { notBefore: nonceTime, notAfter: addSeconds(nonceTime, nonceLifetimeSeconds) })
}

const overlap = (one: ProofSpan, other: ProofSpan): ProofSpan => ({
  notBefore: new Date(Math.max(one.notBefore.getTime(), other.notBefore.getTime())),
  notAfter: new Date(Math.min(one.notAfter.getTime(), other.notAfter.getTime())),
})

const isWithin = ({ notBefore, notAfter }: ProofSpan, now: Date): boolean =>
  notBefore <= now && now <= notAfter

const invalid = (reason: string): RefusedProof => ({ error: 'invalid_dpop_proof', reason })
const demandNonce = (reason: string): RefusedProof => ({ error: 'use_dpop_nonce', reason })
