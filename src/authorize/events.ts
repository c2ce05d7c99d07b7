import type { BrowserSession } from '../accounts/browser-session.ts'
import type { Origin, RecordedEvent } from '../audit/event.ts'
import type { OAuthErrorCode } from '../oauth/error.ts'
import { formatScope } from '../oauth/scope.ts'
import type { AuthorizationRequest } from './authorization-request.ts'

/** A code was given. */
export const grantedEvent = (
  { clientId, scope }: Pick<AuthorizationRequest, 'clientId' | 'scope'>,
  { id: sessionId, userId }: Pick<BrowserSession, 'id' | 'userId'>,
  origin: Origin,
): RecordedEvent => ({
  type: 'authorization.granted',
  outcome: 'success',
  actor: userId,
  subject: userId,
  clientId,
  sessionId,
  details: { scope: formatScope(scope) },
  origin,
})

/** A request that was stored ended without a code. */
export const deniedEvent = (
  clientId: string,
  error: OAuthErrorCode,
  origin: Origin,
): RecordedEvent => ({
  type: 'authorization.denied',
  outcome: 'failure',
  clientId,
  details: { error },
  origin,
})
