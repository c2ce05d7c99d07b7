import type { Origin } from '../audit/event.ts'
import type { AuditWriter } from '../audit/writer.ts'
import { invalidGrant, type OAuthError } from '../oauth/error.ts'
import { Unavailable } from '../oauth/unavailable.ts'
import type { Revocations } from '../revocation/revocations.ts'
import {
  type AuthorizationCodeStore,
  type CodeRefusal,
  type CodeState,
  judgeCode,
  type OpenCode,
  type PresentedCode,
  type RedeemedCode,
} from '../tokens/authorization-code.ts'

/** What redeems codes, and ends what was given for those that are used again. */
export type CodeRedemption = {
  readonly codes: AuthorizationCodeStore
  readonly revocations: Pick<Revocations, 'announce'>
  readonly auditWriter: Pick<AuditWriter, 'recordOncePerMinute'>
}

/**
 * Redeems a code, once.
 * @throws {OAuthError} invalid_grant, with why in the sub-code as far as the client may know it.
 */
export const redeemCode = async (
  parts: CodeRedemption,
  presented: PresentedCode,
  open: OpenCode,
  origin: Origin,
): Promise<RedeemedCode> => {
  // Once more where the obstacle has vanished: a redemption that was taken back.
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const redeemed = await parts.codes.redeem(presented, open, {
      actor: presented.clientId,
      origin,
    })
    if (redeemed === 'login_ended') throw toError('login_ended')
    if (redeemed !== undefined) return redeemed
    const state = await parts.codes.inspect(presented.digest)
    const verdict = judgeCode(state, presented)
    if (verdict === 'again') continue
    if (state !== undefined) await record(parts, presented, state, verdict, origin)
    throw toError(verdict)
  }
  throw new Unavailable('the code is being redeemed')
}

const record = async (
  { codes, revocations, auditWriter }: CodeRedemption,
  { digest, clientId }: PresentedCode,
  state: CodeState,
  refusal: CodeRefusal,
  origin: Origin,
): Promise<void> => {
  if (refusal === 'expired') return
  const event = {
    outcome: 'failure',
    actor: clientId,
    subject: state.userId,
    clientId: state.clientId,
    sessionId: state.sessionId,
    ...(state.familyId === null ? {} : { familyId: state.familyId }),
    origin,
  } as const
  if (refusal === 'reused' && state.familyId !== null) {
    const ended = { ...event, type: 'code.reused' } as const
    if (await codes.endReused(digest, state.familyId, ended)) await revocations.announce()
    return
  }
  const key = ['code.refused', refusal, clientId, digest.toString('base64url')].join(' ')
  const details = { reason: refusal }
  auditWriter.recordOncePerMinute(key, { ...event, type: 'code.refused', details })
}

const toError = (refusal: CodeRefusal | 'login_ended'): OAuthError => {
  const [description, subCode] = texts[refusal] ?? ['The code is not valid', 'unknown']
  return invalidGrant(description, subCode, refusal)
}

// Whoever presents a code without all proofs must not learn that it is genuine.
const texts: Partial<Record<CodeRefusal | 'login_ended', readonly [string, string]>> = {
  reused: ['The code was used before; what it gave has been ended', 'reused'],
  expired: ['The code has expired', 'expired'],
  login_ended: ['The person has signed out, or may not sign in any more', 'login_ended'],
}
