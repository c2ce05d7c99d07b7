import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CheckedProof } from '../../dpop/proofs.ts'
import { OAuthError } from '../../oauth/error.ts'
import { possessionOf } from '../../plugins/possession.ts'

/**
 * The DPoP proof of a request for tokens (RFC 9449 §5), before anything that is good once has been
 * used: a client that lacks a nonce sends the same again.
 * @returns undefined when there is none
 * @throws {OAuthError} invalid_dpop_proof, use_dpop_nonce
 */
export const checkProof = async (
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<CheckedProof | undefined> => {
  const proof = await possessionOf(request.server).checkProof(request, reply)
  if (proof === undefined || !('error' in proof)) return proof
  throw new OAuthError(proof.error, proof.reason)
}

/**
 * Uses the proof, when nothing else speaks against the request.
 * @throws {OAuthError} invalid_dpop_proof when it was used before
 */
export const spendProof = async (
  request: FastifyRequest,
  proof: CheckedProof | undefined,
): Promise<void> => {
  if (proof === undefined || (await possessionOf(request.server).spend(proof))) return
  throw new OAuthError('invalid_dpop_proof', 'The DPoP proof was used before')
}
