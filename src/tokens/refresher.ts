import { randomBytes } from 'node:crypto'
import type { AuditEvent } from '../audit/event.ts'
import type { AuditWriter } from '../audit/writer.ts'
import type { ClaimsRequest } from '../oauth/claims-request.ts'
import { tokenTypeOf } from '../oauth/confirmation.ts'
import { Unavailable } from '../oauth/unavailable.ts'
import type { Revocations } from '../revocation/revocations.ts'
import {
  decodeRefreshToken,
  deriveSuccessor,
  digestRefreshSecret,
  encodeRefreshToken,
  type MacKeys,
  type RefreshTokenParts,
} from '../secrets/refresh-token.ts'
import type { Authorization, RenewableTokens } from './authorization.ts'
import { audienceOfFamily, type OwnClient } from './family-audience.ts'
import { authorizationOf } from './family-authorization.ts'
import { FamilyQueue } from './family-queue.ts'
import type { FamilyGrant, RefreshFamilyStore, Rotation } from './family-store.ts'
import type { TokenIssuer } from './issuer.ts'
import type { OutageTracker } from './outage.ts'
import { describeFamilyEvent } from './refresh-events.ts'
import type { Refusal } from './refresh-family.ts'
import { digestOrigin, questionOf, type RefreshRequest } from './refresh-request.ts'
import { refuseTarget, storedPart } from './refresh-target.ts'
import { judgeView } from './refresh-verdict.ts'

export type RefreshResult =
  | {
      readonly outcome: 'rotated' | 'retried'
      readonly tokens: RenewableTokens
      readonly authorization: Authorization
      /** What the authorization request asked the ID token to say. */
      readonly claimsRequest: ClaimsRequest | null
    }
  | { readonly outcome: Refusal }

export type Refresher = {
  /**
   * Answers a refresh token with its successor, once, and again to whoever retries.
   * @throws {OAuthError} invalid_target, before anything is written: see `refuseTarget`.
   * @throws {Unavailable} when the database or the family's queue cannot take it; nothing is lost.
   */
  refresh(request: RefreshRequest): Promise<RefreshResult>
}

type Dependencies = {
  readonly store: RefreshFamilyStore
  readonly macKeys: MacKeys
  readonly issuer: TokenIssuer
  readonly revocations: Revocations
  readonly outages: OutageTracker
  readonly auditWriter: AuditWriter
  readonly ownClient: OwnClient
}

export const createRefresher = (deps: Dependencies): Refresher => {
  const queue = new FamilyQueue()
  return {
    async refresh(request) {
      const parts = await decodeRefreshToken(request.refreshToken, deps.macKeys)
      if (parts === undefined) return { outcome: 'unknown' }
      return queue.run(parts.familyId, questionOf(request), () =>
        refreshFamily(deps, request, parts),
      )
    },
  }
}

const refreshFamily = async (
  deps: Dependencies,
  request: RefreshRequest,
  parts: RefreshTokenParts,
): Promise<RefreshResult> => {
  await refuseTarget(deps, request, parts)
  const stored = storedPart(request, deps.ownClient)
  for (let attempt = 0; attempt <= 2; attempt += 1) {
    if (attempt > 0) await deps.store.copyUserVersion(parts.familyId)
    const salt = randomBytes(16)
    const successor = deriveSuccessor(parts, salt)
    const rotation = describeRotation(stored, parts, successor, salt)
    const grant =
      request.policy.rotation === 'static'
        ? await deps.store.touch(rotation)
        : await deps.store.rotate(rotation)
    if (grant !== undefined) {
      const next = request.policy.rotation === 'static' ? parts : successor
      return answer(deps, request, 'rotated', grant, next)
    }
    const result = await resolveRefused(deps, request, parts)
    if (result !== 'again') return result
  }
  throw new Unavailable('the family kept changing while it was refreshed')
}

const describeRotation = (
  request: RefreshRequest,
  parts: RefreshTokenParts,
  successor: RefreshTokenParts,
  salt: Buffer,
): Rotation => ({
  familyId: parts.familyId,
  generation: parts.generation,
  digest: digestRefreshSecret(parts),
  clientId: request.clientId,
  confirmation: request.confirmation ?? null,
  scope: request.scope,
  audience: request.audience,
  successorDigest: digestRefreshSecret(successor),
  salt,
  from: digestOrigin(parts, request.origin),
})

/** The update found no row: why, and what follows from it. */
const resolveRefused = async (
  deps: Dependencies,
  request: RefreshRequest,
  parts: RefreshTokenParts,
): Promise<RefreshResult | 'again'> => {
  const view = await deps.store.inspect(parts.familyId)
  if (view === undefined) return { outcome: 'unknown' }
  const successor = view.salt === null ? undefined : deriveSuccessor(parts, view.salt)
  const stored = storedPart(request, deps.ownClient)
  const verdict = judgeView(view, stored, parts, successor, deps.outages)
  if (verdict.outcome === 'again') return 'again'
  if (verdict.outcome === 'retried' && successor !== undefined) {
    if (verdict.elsewhere) record(deps, request, view.grant, 'family.retried_elsewhere')
    return answer(deps, request, 'retried', view.grant, successor)
  }
  const refusal = verdict.outcome as Refusal
  await punish(deps, request, view.grant, refusal, parts.generation)
  return { outcome: refusal }
}

const punish = async (
  deps: Dependencies,
  request: RefreshRequest,
  grant: FamilyGrant,
  refusal: Refusal,
  generation: number,
): Promise<void> => {
  if (refusal === 'reused' || refusal === 'diverged') {
    const event = describeFamilyEvent(request, grant, `family.${refusal}`, { generation })
    if (await deps.store.revoke(grant.familyId, refusal, [event])) await deps.revocations.announce()
  }
  if (refusal === 'wrong_client' || refusal === 'wrong_confirmation') {
    record(deps, request, grant, 'family.refused_foreign')
  }
}

const answer = async (
  deps: Dependencies,
  request: RefreshRequest,
  outcome: 'rotated' | 'retried',
  grant: FamilyGrant,
  next: RefreshTokenParts,
): Promise<RefreshResult> => {
  const granted = audienceOfFamily(grant, deps.ownClient)
  const authorization = authorizationOf({ ...grant, audience: granted }, request)
  const { accessToken, expiresIn, scope } = await deps.issuer.issueAccessToken(authorization)
  // Last look: a revocation that committed while this was signed must win.
  if (deps.revocations.revokedBy(authorization) !== undefined) return { outcome: 'revoked' }
  const refreshToken = encodeRefreshToken(next, deps.macKeys.current())
  const { authorizationDetails: details } = authorization
  const tokenType = tokenTypeOf(authorization.confirmation)
  return {
    outcome,
    tokens: {
      ...{ accessToken, tokenType, expiresIn, refreshToken, scope },
      ...(details === undefined ? {} : { authorizationDetails: details }),
    },
    authorization,
    claimsRequest: grant.claimsRequest,
  }
}

const record = (
  deps: Dependencies,
  request: RefreshRequest,
  grant: FamilyGrant,
  type: AuditEvent['type'],
): void =>
  deps.auditWriter.recordOncePerMinute(
    `${type}:${grant.familyId}`,
    describeFamilyEvent(request, grant, type),
  )
