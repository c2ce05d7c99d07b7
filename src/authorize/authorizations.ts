import { isUuid } from '../accounts/user.ts'
import type { Client } from '../clients/client.ts'
import type { Clients } from '../clients/client-directory.ts'
import type { Clock } from '../clock.ts'
import { invalidRequest } from '../oauth/error.ts'
import { sha256 } from '../secrets/digest.ts'
import { requestGone } from './interaction-requests.ts'
import { createDecide, type DecideParts, type RequestingBrowser, type Step } from './next-step.ts'
import { onlyValue, type RawParameters } from './parameters.ts'
import type { PushedRequests } from './pushed-requests.ts'
import { maySendErrors } from './redirect-target.ts'
import { RefusedRequest, type RequestReaderParts, readRequest } from './request-reader.ts'

export type Authorizations = {
  /**
   * A request as its client sent it.
   * @throws {OAuthError} for a page: what nobody may be told by a redirect
   */
  begin(sent: RawParameters, browser: RequestingBrowser): Promise<Step>
  /** The request that waits, decided anew. @throws {OAuthError} when it waits no more. */
  resume(id: string, browser: RequestingBrowser): Promise<Step>
}

type Parts = RequestReaderParts &
  DecideParts & {
    readonly clients: Pick<Clients, 'find'>
    readonly pushed: PushedRequests
    readonly clock: Clock
    readonly requirePushed: boolean
  }

export const createAuthorizations = (parts: Parts): Authorizations => {
  const { store, answers, clock } = parts
  const decide = createDecide(parts)

  const findClient = async (clientId: string | undefined): Promise<Client | undefined> => {
    const client = clientId === undefined ? undefined : await parts.clients.find(clientId)
    return client?.disabledAt === null ? client : undefined
  }

  const beginPlain = async (
    sent: RawParameters,
    client: Client,
    browser: RequestingBrowser,
  ): Promise<Step> => {
    const request = await readRequest(parts, sent, client)
    if (client.settings.requirePushedAuthorizationRequests || parts.requirePushed) {
      throw new RefusedRequest(invalidRequest('The request must be pushed (RFC 9126)'), request)
    }
    // ASVS 5.0 10.4.15: what a browser could have changed.
    const hasOpenDetails = request.authorizationDetails !== undefined && sent.request === undefined
    if (client.settings.requirePushedAuthorizationDetails && hasOpenDetails) {
      const reason = 'authorization_details must be pushed or signed'
      throw new RefusedRequest(invalidRequest(reason), request)
    }
    // Where it decides, the time is the database's to the moment.
    const now = request.maxAge === undefined ? clock() : await store.now()
    return decide({ stored: undefined, chosen: null, now, client, request, browser })
  }

  const beginPushed = async (
    sent: RawParameters,
    client: Client,
    browser: RequestingBrowser,
  ): Promise<Step> => {
    const found = await parts.pushed.find(client, sent, sha256(browser.secret))
    return decide({ ...found, client, stored: found, chosen: found.sessionId, browser })
  }

  return {
    async begin(sent, browser) {
      const client = await findClient(onlyValue(sent, 'client_id'))
      if (client === undefined) throw invalidRequest('The client_id is missing or unknown')
      try {
        const begin = sent.request_uri === undefined ? beginPlain : beginPushed
        return await begin(sent, client, browser)
      } catch (error) {
        if (!(error instanceof RefusedRequest)) throw error
        const { target, reason } = error
        if (target === undefined || !maySendErrors(client)) throw reason
        return { kind: 'answer', response: await answers.makeError(target, client, reason) }
      }
    },
    async resume(id, browser) {
      const pending = { id, browserDigest: sha256(browser.secret) }
      const found = isUuid(id) ? await store.find(pending) : undefined
      const client = await findClient(found?.request.clientId)
      if (found === undefined || client === undefined) throw requestGone()
      return decide({ ...found, client, stored: found, chosen: found.sessionId, browser })
    },
  }
}
