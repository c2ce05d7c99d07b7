import { narrowAuthorizationDetails } from '../oauth/authorization-details.ts'
import { OAuthError } from '../oauth/error.ts'
import { isSubset } from '../oauth/scope.ts'
import { deriveSuccessor, type RefreshTokenParts } from '../secrets/refresh-token.ts'
import { audienceOfFamily, type OwnClient } from './family-audience.ts'
import type { FamilyView, RefreshFamilyStore } from './family-store.ts'
import type { TokenIssuer } from './issuer.ts'
import type { OutageTracker } from './outage.ts'
import type { RefreshRequest } from './refresh-request.ts'
import { judgeView } from './refresh-verdict.ts'

type Dependencies = {
  readonly store: Pick<RefreshFamilyStore, 'inspect'>
  readonly issuer: Pick<TokenIssuer, 'canRefuse' | 'requireOneAlgorithm'>
  readonly outages: OutageTracker
  readonly ownClient: OwnClient
}

/**
 * Refuses, before anything is written, a refresh whose tokens could not be made for the audience
 * that they would have: the update cannot know of that, and a token that it replaced is gone. Reads
 * the family only where that can be; one that is refused for another reason is left to the update,
 * which goes on as if nobody had looked. What was found stays true: a family's audience is fixed.
 * @throws {OAuthError} invalid_target, invalid_authorization_details.
 */
export const refuseTarget = async (
  deps: Dependencies,
  request: RefreshRequest,
  parts: RefreshTokenParts,
): Promise<void> => {
  const isOwn = request.clientId === deps.ownClient.id
  const isQuestion = isOwn ? request.audience !== undefined : deps.issuer.canRefuse()
  if (!isQuestion && request.authorizationDetails === undefined) return
  const view = await deps.store.inspect(parts.familyId)
  if (view === undefined || !mayGoOn(deps, view, storedPart(request, deps.ownClient), parts)) return
  narrowAuthorizationDetails(
    request.authorizationDetails,
    view.grant.authorizationDetails ?? undefined,
  )
  const granted = audienceOfFamily(view.grant, deps.ownClient)
  const audience = request.audience ?? granted
  if (!isSubset(audience, granted)) {
    throw new OAuthError('invalid_target', 'The resource is beyond what was granted')
  }
  deps.issuer.requireOneAlgorithm({ clientId: request.clientId, audience })
}

/** What of a request is compared with the row: its audience says nothing of our own families. */
export const storedPart = (request: RefreshRequest, ownClient: OwnClient): RefreshRequest => {
  if (request.clientId !== ownClient.id) return request
  const { audience: _configured, ...rest } = request
  return rest
}

const mayGoOn = (
  { outages }: Dependencies,
  view: FamilyView,
  request: RefreshRequest,
  parts: RefreshTokenParts,
): boolean => {
  const successor = view.salt === null ? undefined : deriveSuccessor(parts, view.salt)
  const { outcome } = judgeView(view, request, parts, successor, outages)
  return outcome === 'again' || outcome === 'retried'
}
