import { randomBytes } from 'node:crypto'
import type { AuditEvent, Origin, RecordedEvent } from '../audit/event.ts'
import type { AuditWriter } from '../audit/writer.ts'
import { permittedScope } from '../oauth/own-scope.ts'
import type { Scope } from '../oauth/scope.ts'
import { Unavailable } from '../oauth/unavailable.ts'
import type { Revocations } from '../revocation/revocations.ts'
import { hmacSha256 } from '../secrets/digest.ts'
import {
  decodeRefreshToken,
  deriveSuccessor,
  digestRefreshSecret,
  encodeRefreshToken,
  type MacKeys,
  type RefreshTokenParts,
} from '../secrets/refresh-token.ts'
import type { Authorization, TokenSet } from './authorization.ts'
import { FamilyQueue } from './family-queue.ts'
import type { FamilyGrant, FamilyView, RefreshFamilyStore, Rotation } from './family-store.ts'
import type { TokenIssuer } from './issuer.ts'
import { networkPrefix } from './network-prefix.ts'
import { type OutageTracker, outageWithin } from './outage.ts'
import { judge, type Presented, type RefreshPolicy, type Refusal } from './refresh-family.ts'

export type RefreshRequest = {
  readonly refreshToken: string
  readonly clientId: string
  readonly policy: RefreshPolicy
  /** Narrows the access token; the family keeps its scope (RFC 6749 §6). */
  readonly scope?: Scope
  /** Narrows the access token's audience; the family keeps its own (RFC 8707 §2.2). */
  readonly audience?: readonly string[]
  /** Key that the request has proved; null for bearer clients. */
  readonly confirmation?: string
  readonly origin: Origin
}

export type RefreshResult =
  | { readonly outcome: 'rotated' | 'retried'; readonly tokens: Required<TokenSet> }
  | { readonly outcome: Refusal }

export type Refresher = {
  /**
   * Answers a refresh token with its successor, once, and again to whoever retries.
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
  readonly onOutcome?: (outcome: RefreshResult['outcome']) => void
}

export const createRefresher = (deps: Dependencies): Refresher => {
  const queue = new FamilyQueue()
  return {
    async refresh(request) {
      const parts = await decodeRefreshToken(request.refreshToken, deps.macKeys)
      const result: RefreshResult =
        parts === undefined
          ? { outcome: 'unknown' }
          : await queue.run(parts.familyId, questionOf(request), () =>
              refreshFamily(deps, request, parts),
            )
      deps.onOutcome?.(result.outcome)
      return result
    },
  }
}

const refreshFamily = async (
  deps: Dependencies,
  request: RefreshRequest,
  parts: RefreshTokenParts,
): Promise<RefreshResult> => {
  const from = digestOrigin(parts, request.origin)
  for (let attempt = 0; attempt <= 2; attempt += 1) {
    const salt = randomBytes(16)
    const successor = deriveSuccessor(parts, salt)
    const rotation = describeRotation(request, parts, successor, salt, from)
    const grant =
      request.policy.rotation === 'static'
        ? await deps.store.touch(rotation)
        : await deps.store.rotate(rotation)
    if (grant !== undefined) {
      const next = request.policy.rotation === 'static' ? parts : successor
      return answer(deps, request, 'rotated', grant, next)
    }
    const result = await resolveRefused(deps, request, parts, from)
    if (result !== 'again') return result
    await deps.store.copyUserVersion(parts.familyId)
  }
  throw new Unavailable('the family kept changing while it was refreshed')
}

const describeRotation = (
  request: RefreshRequest,
  parts: RefreshTokenParts,
  successor: RefreshTokenParts,
  salt: Buffer,
  from: Buffer,
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
  from,
})

/** The update found no row: why, and what follows from it. */
const resolveRefused = async (
  deps: Dependencies,
  request: RefreshRequest,
  parts: RefreshTokenParts,
  from: Buffer,
): Promise<RefreshResult | 'again'> => {
  const view = await deps.store.inspect(parts.familyId)
  if (view === undefined) return { outcome: 'unknown' }
  const successor = view.salt === null ? undefined : deriveSuccessor(parts, view.salt)
  const verdict = judge(
    { ...view.state, outageMs: outageSince(deps.outages, view) },
    present(request, parts, successor, from),
    request.policy,
    view.grant.now,
  )
  if (verdict.outcome === 'again') return 'again'
  if (verdict.outcome === 'retried' && successor !== undefined) {
    if (verdict.elsewhere) record(deps, request, view.grant, 'family.retried_elsewhere')
    return answer(deps, request, 'retried', view.grant, successor)
  }
  const refusal = verdict.outcome as Refusal
  await punish(deps, request, view.grant, refusal, parts.generation)
  return { outcome: refusal }
}

const present = (
  request: RefreshRequest,
  parts: RefreshTokenParts,
  successor: RefreshTokenParts | undefined,
  from: Buffer,
): Presented => ({
  clientId: request.clientId,
  confirmation: request.confirmation ?? null,
  generation: parts.generation,
  digest: digestRefreshSecret(parts),
  successorDigest: successor === undefined ? null : digestRefreshSecret(successor),
  from,
  scope: request.scope,
  audience: request.audience,
})

const outageSince = (tracker: OutageTracker, { state, outages, grant }: FamilyView): number =>
  state.rotatedAt === null
    ? 0
    : outageWithin(state.rotatedAt, grant.now, [...outages, ...tracker.unrecorded(grant.now)])

const punish = async (
  deps: Dependencies,
  request: RefreshRequest,
  grant: FamilyGrant,
  refusal: Refusal,
  generation: number,
): Promise<void> => {
  if (refusal === 'reused' || refusal === 'diverged') {
    const event = describe(request, grant, `family.${refusal}`, { generation })
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
  const authorization = toAuthorization(grant, request)
  const { accessToken, expiresIn } = await deps.issuer.issueAccessToken(authorization)
  // Last look: a revocation that committed while this was signed must win.
  if (deps.revocations.revokedBy(authorization) !== undefined) return { outcome: 'revoked' }
  const refreshToken = encodeRefreshToken(next, deps.macKeys.current())
  const { scope } = authorization
  return { outcome, tokens: { accessToken, tokenType: 'Bearer', expiresIn, refreshToken, scope } }
}

// A family keeps its scope; its access tokens have what of it is permitted now.
const toAuthorization = (
  grant: FamilyGrant,
  requested: Pick<RefreshRequest, 'scope' | 'audience'>,
): Authorization => ({
  clientId: grant.clientId,
  subject: grant.userId,
  scope: permittedScope(requested.scope ?? grant.scope, grant.permissions),
  audience: requested.audience ?? grant.audience,
  user: {
    roles: grant.roles,
    permissions: grant.permissions,
    authTime: grant.authTime,
    amr: grant.amr,
    ...(grant.acr === null ? {} : { acr: grant.acr }),
  },
  ...(grant.offline || grant.sessionId === null ? {} : { sessionId: grant.sessionId }),
  familyId: grant.familyId,
  issuedAt: grant.now,
  notAfter: grant.expiresAt,
})

const describe = (
  request: RefreshRequest,
  grant: FamilyGrant,
  type: AuditEvent['type'],
  details: AuditEvent['details'] = {},
): RecordedEvent => ({
  type,
  outcome: 'failure',
  actor: request.clientId,
  subject: grant.userId,
  clientId: grant.clientId,
  ...(grant.sessionId === null ? {} : { sessionId: grant.sessionId }),
  familyId: grant.familyId,
  details,
  origin: request.origin,
})

const record = (
  deps: Dependencies,
  request: RefreshRequest,
  grant: FamilyGrant,
  type: AuditEvent['type'],
): void =>
  deps.auditWriter.recordOncePerMinute(`${type}:${grant.familyId}`, describe(request, grant, type))

/** Requests with the same text are the same question. */
const questionOf = ({ origin, ...request }: RefreshRequest): string =>
  JSON.stringify([request, networkPrefix(origin.address), origin.userAgent])

/**
 * Keyed with the presented secret, which is stored nowhere: a leaked row does not tell where
 * somebody was, and only a retry of the same token can be compared with it.
 */
const digestOrigin = ({ secret }: RefreshTokenParts, { address, userAgent }: Origin): Buffer =>
  hmacSha256(
    secret,
    JSON.stringify(['refresh origin', networkPrefix(address), userAgent ?? '']),
  ).subarray(0, 16)
