import type { FastifyInstance } from 'fastify'
import type { AuditEventType } from '../audit/catalogue.ts'
import type { AuditWriter } from '../audit/writer.ts'
import { networkPrefix } from '../tokens/network-prefix.ts'
import { originOf } from './request-origin.ts'

/** Refusals, by their code, that tell of somebody who tries what is not theirs to do. */
const audited: Readonly<Record<string, AuditEventType>> = {
  permission_denied: 'access.refused',
  insufficient_scope: 'access.refused',
  own_account: 'access.refused',
  last_admin: 'access.refused',
  untrusted_origin: 'request.forgery_refused',
  invalid_csrf_token: 'request.forgery_refused',
  // A client whose proof is refused has a mistake, or somebody else sends what they have seen.
  invalid_dpop_proof: 'proof.refused',
}

/**
 * Tells the audit log of refused administration, of forged requests, and of proofs of keys that are
 * refused (ASVS 5.0 16.3.2, 16.3.3): once a minute for each kind and account, or network where
 * nobody is known. The log of requests has every one.
 */
export const registerRefusalAudit = (
  app: FastifyInstance,
  auditWriter: Pick<AuditWriter, 'recordOncePerMinute'>,
): void => {
  app.addHook('onSend', async (request) => {
    const { refusal, bearer, routeOptions } = request
    const type = refusal && audited[refusal.code]
    if (type === undefined) return
    const origin = originOf(request)
    const actor = bearer?.subject
    const key = [type, refusal?.code, actor ?? networkPrefix(origin.address)]
    const { permission } = routeOptions.config
    auditWriter.recordOncePerMinute(JSON.stringify(key), {
      ...{ type, outcome: 'failure', origin },
      ...(actor === undefined ? {} : { actor }),
      details: {
        reason: refusal?.code ?? null,
        method: routeOptions.method?.toString() ?? null,
        route: routeOptions.url ?? null,
        ...(permission === undefined ? {} : { permission }),
      },
    })
  })
}
