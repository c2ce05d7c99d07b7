import { createAnswers } from '../authorize/answers.ts'
import { createAuthorizations } from '../authorize/authorizations.ts'
import { createInteractions } from '../authorize/interaction-requests.ts'
import { createPushedRequests } from '../authorize/pushed-requests.ts'
import type { ClientKeys } from '../clients/client-keys.ts'
import { createRequestObjectReader } from '../clients/request-object.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { IdTokenHints } from '../tokens/id-token-hint.ts'
import type { Foundation } from './foundation.ts'

type Parts = {
  readonly clientKeys: ClientKeys
  readonly keyRing: KeyRing
  readonly idTokenHints: IdTokenHints
}

/** What takes authorization requests, and answers them. */
export const joinAuthorize = (
  { config, clock, clients, stores, detailsTypes }: Foundation,
  { clientKeys, keyRing, idTokenHints }: Parts,
) => {
  const { defaultAudience, issuer } = config
  const store = stores.authorizationRequests
  const readRequestObject = createRequestObjectReader({ issuer, keys: clientKeys, clock })
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
