import type { Clock } from '../clock.ts'
import type { OneTimeIds } from '../secrets/one-time-ids.ts'
import type { DpopNonces } from './nonces.ts'
import { type ProofAlgorithm, readProof } from './proof.ts'
import {
  judgeProof,
  type ProofSpan,
  type ProvenRequest,
  type RefusedProof,
} from './proof-judgement.ts'

/** A proof that is for the request that it came with; not yet used. */
export type CheckedProof = ProofSpan & {
  /** Thumbprint of the key that its sender holds. */
  readonly jkt: string
  readonly algorithm: ProofAlgorithm
  /** Names the proof among all of them: its key, `jti` and `htu`. */
  readonly id: string
}

/** What a request says about itself; where it was sent to is known here. */
export type PresentedProof = Omit<ProvenRequest, 'urls'> & {
  readonly jwt: string
  /** Of the request's address, with the issuer's own in front. */
  readonly path: string
}

/** Proofs of possession of a key (RFC 9449). */
export type DpopProofs = {
  /** All checks of RFC 9449 §4.3 but that of repetition. Changes nothing. */
  check(presented: PresentedProof): Promise<CheckedProof | RefusedProof>
  /**
   * Uses a proof. Call it last, when nothing else speaks against the request.
   * @returns false when it was used before (RFC 9449 §11.1), here or on another node, or when nobody
   *   can know, because the memory of it was lost since it was made: another proof will do.
   * @throws {Unavailable} when neither Redis nor the database answers.
   */
  spend(proof: CheckedProof): Promise<boolean>
  /** For the header DPoP-Nonce. */
  issueNonce(): string
}

type Options = {
  readonly nonces: DpopNonces
  readonly oneTimeIds: OneTimeIds
  /** In step with the database. */
  readonly clock: Clock
  /** Those that clients reach the service by, never what a request's Host header says. */
  readonly origins: readonly string[]
}

export const createDpopProofs = ({ nonces, oneTimeIds, clock, origins }: Options): DpopProofs => ({
  async check({ jwt, path, ...request }) {
    const proof = await readProof(jwt)
    if ('fault' in proof) return { error: 'invalid_dpop_proof', reason: proof.fault }
    const nonceTime = proof.nonce === undefined ? undefined : await nonces.timeOf(proof.nonce)
    const urls = origins.map((origin) => origin + path)
    const judged = judgeProof(proof, { ...request, urls }, nonceTime, clock())
    if ('error' in judged) return judged
    const { jkt, algorithm, tokenId, url } = proof
    return { ...judged, jkt, algorithm, id: JSON.stringify([jkt, tokenId, url]) }
  },
  spend: ({ id, notBefore, notAfter }) => oneTimeIds.use('dpop', id, notBefore, notAfter),
  issueNonce: nonces.issue,
})
