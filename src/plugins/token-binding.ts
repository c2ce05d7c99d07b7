import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ProofError } from '../dpop/proof-judgement.ts'
import type { CheckedProof } from '../dpop/proofs.ts'
import { type Confirmation, isSameConfirmation } from '../oauth/confirmation.ts'
import type { ProblemCode } from '../oauth/problem.ts'
import type { AccessTokenClaims } from '../tokens/verifier.ts'
import { possessionOf } from './possession.ts'

/** Schemes by which access tokens are presented (RFC 6750 §2.1, RFC 9449 §7.1). */
export type TokenScheme = 'Bearer' | 'DPoP'

type Presented = {
  readonly token: string
  readonly scheme: TokenScheme
  readonly claims: Pick<AccessTokenClaims, 'confirmation'>
}
type FaultCode = Extract<ProblemCode, 'invalid_token' | ProofError>
type Refuse = (error: FaultCode, reason: string) => Error

/**
 * Makes who presents an access token prove the key that it is bound to (RFC 9449 §7.1, RFC 8705 §3).
 * A token without a key is no DPoP token, and one with a key is no bearer token (RFC 9449 §7.2).
 * @returns the proof, still to be used; undefined where there is none to be used
 * @param refuse makes the error, in the format of the endpoint
 * @throws what that makes: invalid_token, invalid_dpop_proof, use_dpop_nonce
 */
export const requireBinding = async (
  request: FastifyRequest,
  reply: FastifyReply,
  { token, scheme, claims: { confirmation } }: Presented,
  refuse: Refuse,
): Promise<CheckedProof | undefined> => {
  const fault = findFault(request, scheme, confirmation)
  if (fault !== undefined) throw refuse('invalid_token', fault)
  if (confirmation === undefined || 'x5t#S256' in confirmation) return undefined
  const proof = await possessionOf(request.server).checkProof(request, reply, token)
  if (proof === undefined) {
    throw refuse('invalid_dpop_proof', 'There is no DPoP proof')
  }
  if ('error' in proof) throw refuse(proof.error, proof.reason)
  if (!isSameConfirmation({ jkt: proof.jkt }, confirmation)) {
    throw refuse('invalid_token', 'The access token is bound to another key')
  }
  return proof
}

/** @throws what `refuse` makes: invalid_dpop_proof when the proof was used before */
export const spendProof = async (
  request: FastifyRequest,
  proof: CheckedProof | undefined,
  refuse: Refuse,
): Promise<void> => {
  if (proof === undefined || (await possessionOf(request.server).spend(proof))) return
  throw refuse('invalid_dpop_proof', 'The DPoP proof was used before')
}

/** What is wrong, as far as that can be said without looking at a proof. */
const findFault = (
  request: FastifyRequest,
  scheme: TokenScheme,
  confirmation: Confirmation | undefined,
): string | undefined => {
  if (confirmation === undefined || 'x5t#S256' in confirmation) {
    if (scheme === 'DPoP') return 'The access token is not bound to a DPoP key'
    return confirmation === undefined || hasCertificate(request, confirmation)
      ? undefined
      : 'The access token is bound to another client certificate'
  }
  return scheme === 'DPoP' ? undefined : 'The access token is bound to a DPoP key'
}

const hasCertificate = (request: FastifyRequest, confirmation: Confirmation): boolean => {
  const thumbprint = possessionOf(request.server).certificateOf(request)
  return thumbprint !== undefined && isSameConfirmation({ 'x5t#S256': thumbprint }, confirmation)
}
