import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import type { RefusedProof } from '../dpop/proof-judgement.ts'
import type { CheckedProof, DpopProofs } from '../dpop/proofs.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What requests prove to hold; read it with `possessionOf`. */
    possession?: Possession
  }
}

/** The keys that requests prove to hold. */
export type Possession = Pick<DpopProofs, 'spend'> & {
  /**
   * Checks the proof of a request, and gives its sender a nonce for the next one (RFC 9449 §8.2).
   * @param accessToken that is presented beside it; undefined where tokens are asked for
   * @returns undefined when there is none
   */
  checkProof(
    request: FastifyRequest,
    reply: FastifyReply,
    accessToken?: string,
  ): Promise<CheckedProof | RefusedProof | undefined>
  /** @returns thumbprint of the client certificate of the connection; undefined without one. */
  certificateOf(request: FastifyRequest): string | undefined
}

type Options = {
  readonly dpopProofs: DpopProofs
  readonly config: Pick<Config, 'dpopNonces'>
}

/** Lets endpoints ask for proofs of keys (DPoP, RFC 9449). */
export const registerPossession = (
  app: FastifyInstance,
  { dpopProofs, config: { dpopNonces } }: Options,
): void => {
  app.decorate('possession', {
    spend: dpopProofs.spend,
    async checkProof(request, reply, accessToken) {
      const [jwt, second] = proofsOf(request)
      if (jwt === undefined) return undefined
      reply.header('dpop-nonce', dpopProofs.issueNonce())
      if (second !== undefined) {
        return { error: 'invalid_dpop_proof', reason: 'There is more than one DPoP proof' }
      }
      return dpopProofs.check({
        jwt,
        method: request.method,
        path: request.url.split('?', 1)[0] ?? '',
        demandsNonce: dpopNonces === 'always' || (dpopNonces === 'tokens' && !accessToken),
        ...(accessToken === undefined ? {} : { accessToken }),
      })
    },
    certificateOf: (request) => request.clientCertificate?.thumbprint,
  } satisfies Possession)
}

// Node.js joins headers of one name; how many there were is to be seen in what came.
const proofsOf = ({ raw: { rawHeaders } }: FastifyRequest): string[] =>
  rawHeaders.filter(
    (_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'dpop',
  )

/** @throws {TypeError} where no proofs are taken: a mistake of the program */
export const possessionOf = (app: FastifyInstance): Possession => {
  if (app.possession === undefined) throw new TypeError('no proofs of keys are taken here')
  return app.possession
}
