import { digestRefreshSecret, type RefreshTokenParts } from '../secrets/refresh-token.ts'
import type { FamilyView } from './family-store.ts'
import { type OutageTracker, outageWithin } from './outage.ts'
import { judge, type Presented, type Verdict } from './refresh-family.ts'
import { digestOrigin, type RefreshRequest } from './refresh-request.ts'

/**
 * What is to be said to a request about a family as it was read.
 * @param successor of what was presented, by the row's salt; undefined: there was none yet
 */
export const judgeView = (
  view: FamilyView,
  request: RefreshRequest,
  parts: RefreshTokenParts,
  successor: RefreshTokenParts | undefined,
  outages: OutageTracker,
): Verdict =>
  judge(
    { ...view.state, outageMs: outageSince(outages, view) },
    present(request, parts, successor),
    request.policy,
    view.grant.now,
  )

const present = (
  request: RefreshRequest,
  parts: RefreshTokenParts,
  successor: RefreshTokenParts | undefined,
): Presented => ({
  clientId: request.clientId,
  confirmation: request.confirmation ?? null,
  generation: parts.generation,
  digest: digestRefreshSecret(parts),
  successorDigest: successor === undefined ? null : digestRefreshSecret(successor),
  from: digestOrigin(parts, request.origin),
  scope: request.scope,
  audience: request.audience,
})

const outageSince = (tracker: OutageTracker, { state, outages, grant }: FamilyView): number =>
  state.rotatedAt === null
    ? 0
    : outageWithin(state.rotatedAt, grant.now, [...outages, ...tracker.unrecorded(grant.now)])
