import { createAnswers } from '../authorize/answers.ts'
import { createAuthorizations } from '../authorize/authorizations.ts'
import { createInteractions } from '../authorize/interaction-requests.ts'
import { createPushedRequests } from '../authorize/pushed-requests.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import { OAuthError } from '../oauth/error.ts'
import type { IdTokenHints } from '../tokens/id-token-hint.ts'
import type { Foundation } from './foundation.ts'

type Parts = {
  readonly keyRing: KeyRing
  readonly idTokenHints: IdTokenHints
}

const readRequestObject = async (): Promise<never> => {
  throw new OAuthError('request_not_supported', 'Request objects are not taken')
}

/** What takes authorization requests, and answers them. */
export const joinAuthorize = (
  { config, clock, clients, stores, detailsTypes }: Foundation,
  { keyRing, idTokenHints }: Parts,
) => {
  const { defaultAudience, issuer } = config
  const store = stores.authorizationRequests
  const answers = createAnswers({ issuer, keyRing, clock })
  const reading = { defaultAudience, detailsTypes, idTokenHints, readRequestObject, store }
  const pushedRequests = createPushedRequests(reading)
  return {
    pushedRequests,
    interactions: createInteractions({ clients, store, answers }),
    authorizations: createAuthorizations({
      ...{ ...reading, clients, answers, clock, pushed: pushedRequests },
      consents: stores.consents,
      requirePushed: config.requirePushedAuthorizationRequests,
    }),
  }
}
