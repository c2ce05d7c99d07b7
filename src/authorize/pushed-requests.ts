import type { Client } from '../clients/client.ts'
import { invalidRequest, OAuthError } from '../oauth/error.ts'
import { sha256 } from '../secrets/digest.ts'
import { randomToken } from '../secrets/random.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import { onlyValue, type RawParameters } from './parameters.ts'
import { RefusedRequest, type RequestReaderParts, readRequest } from './request-reader.ts'
import type { AuthorizationRequestStore, StoredRequest } from './request-store.ts'

/** Requests that clients push before the browser comes (RFC 9126). */
export type PushedRequests = {
  /**
   * @param jkt of the DPoP key that the client has proved: that alone may redeem the code
   * @throws {OAuthError} for the client itself: no browser is there yet.
   */
  push(sent: RawParameters, client: Client, jkt: string | undefined): Promise<PushedRequest>
  /** @throws {OAuthError} for a page, when the reference is not, or no more, this client's. */
  find(client: Client, sent: RawParameters, browserDigest: Buffer): Promise<StoredRequest>
}

export type PushedRequest = {
  /** 256 random bits, of which only a digest is kept. */
  readonly requestUri: string
  /** Seconds. */
  readonly expiresIn: number
}

const prefix = 'urn:ietf:params:oauth:request_uri:'

/** RFC 9126 §2.2 speaks of 5 to 600; browsers come at once. */
const lifetimeSeconds = 90

export const createPushedRequests = (
  parts: RequestReaderParts & { readonly store: AuthorizationRequestStore },
): PushedRequests => ({
  async push(sent, client, jkt) {
    if (sent.request_uri !== undefined) {
      throw invalidRequest('request_uri must not be pushed (RFC 9126)')
    }
    const request = await readRequest(parts, sent, client).catch((error: unknown) => {
      throw error instanceof RefusedRequest ? error.reason : error
    })
    const reference = randomToken()
    const bound = bindToKey(request, jkt)
    await parts.store.push(bound, sha256(reference), lifetimeSeconds)
    return { requestUri: prefix + reference, expiresIn: lifetimeSeconds }
  },

  async find(client, sent, browserDigest) {
    const requestUri = onlyValue(sent, 'request_uri')
    if (!requestUri?.startsWith(prefix)) {
      throw new OAuthError('request_uri_not_supported', 'Only pushed requests have a request_uri')
    }
    const digest = sha256(requestUri.slice(prefix.length))
    const found = await parts.store.findPushed(client.id, digest, browserDigest)
    if (found === undefined) {
      throw new OAuthError('invalid_request_uri', 'The request_uri is unknown, used or has expired')
    }
    return found
  },
})

/** RFC 9449 §10.1: a proof is as good as `dpop_jkt`, and where both came they are the same key. */
const bindToKey = (
  request: AuthorizationRequest,
  jkt: string | undefined,
): AuthorizationRequest => {
  if (jkt === undefined) return request
  if (request.dpopJkt === undefined || request.dpopJkt === jkt) return { ...request, dpopJkt: jkt }
  throw new OAuthError('invalid_dpop_proof', 'dpop_jkt is not the key of the DPoP proof')
}
