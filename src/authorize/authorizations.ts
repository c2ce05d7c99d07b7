import type { BrowserSession } from '../accounts/browser-session.ts'
import type { ConsentStore } from '../accounts/consents.ts'
import { isUuid } from '../accounts/user.ts'
import type { Origin } from '../audit/event.ts'
import { type Client, isVetted } from '../clients/client.ts'
import type { Clients } from '../clients/client-directory.ts'
import type { Clock } from '../clock.ts'
import { audienceOf } from '../grants/client-audience.ts'
import { invalidRequest, OAuthError } from '../oauth/error.ts'
import { sha256 } from '../secrets/digest.ts'
import { randomToken } from '../secrets/random.ts'
import type { Answers } from './answers.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import type { AuthorizationResponse } from './authorization-response.ts'
import { needsConsent, selectSession } from './decision.ts'
import { deniedEvent, grantedEvent } from './events.ts'
import { requestGone } from './interaction-requests.ts'
import { onlyValue, type RawParameters } from './parameters.ts'
import type { PushedRequests } from './pushed-requests.ts'
import { maySendErrors } from './redirect-target.ts'
import { RefusedRequest, type RequestReaderParts, readRequest } from './request-reader.ts'
import type { AuthorizationRequestStore, Pending } from './request-store.ts'

/** The browser that brings a request. */
export type RequestingBrowser = {
  readonly secret: string
  readonly sessions: readonly BrowserSession[]
  readonly origin: Origin
}

/** What the browser does next. */
export type Step =
  | { readonly kind: 'answer'; readonly response: AuthorizationResponse }
  | {
      readonly kind: 'page'
      readonly page: 'sign_in' | 'accounts' | 'consent'
      readonly id: string
    }

export type Authorizations = {
  /**
   * A request as its client sent it.
   * @throws {OAuthError} for a page: what nobody may be told by a redirect
   */
  begin(sent: RawParameters, browser: RequestingBrowser): Promise<Step>
  /** The request that waits, decided anew. @throws {OAuthError} when it waits no more. */
  resume(id: string, browser: RequestingBrowser): Promise<Step>
}

type Parts = RequestReaderParts & {
  readonly clients: Pick<Clients, 'find'>
  readonly store: AuthorizationRequestStore
  readonly pushed: PushedRequests
  readonly consents: Pick<ConsentStore, 'find'>
  readonly answers: Answers
  readonly clock: Clock
  readonly requirePushed: boolean
}

/** One request on its way: plain ones are stored only once they have to wait. */
type Visit = {
  readonly client: Client
  readonly request: AuthorizationRequest
  readonly stored: { readonly id: string; readonly createdAt: Date } | undefined
  readonly chosen: string | null
  readonly now: Date
  readonly browser: RequestingBrowser
}

const codeTtlSeconds = 60
/** As long as somebody may take to sign in or to register. */
const waitSeconds = 3600

const silentReasons = {
  login_required: 'The user must sign in',
  account_selection_required: 'The user must choose an account',
} as const

export const createAuthorizations = (parts: Parts): Authorizations => {
  const { store, answers, clock } = parts

  const pendingOf = ({ stored, browser }: Visit): Pending | undefined =>
    stored && { id: stored.id, browserDigest: sha256(browser.secret) }

  const answerError = async (visit: Visit, error: OAuthError): Promise<Step> => {
    const { request, client, browser } = visit
    if (!maySendErrors(client)) throw error
    const pending = pendingOf(visit)
    const denied = deniedEvent(client.id, error.code, browser.origin)
    if (pending && !(await store.close(pending, [denied]))) throw requestGone()
    return { kind: 'answer', response: await answers.makeError(request, client, error) }
  }

  const showPage = async (
    visit: Visit,
    page: 'sign_in' | 'accounts' | 'consent',
  ): Promise<Step & { readonly kind: 'page' }> => {
    const pending = pendingOf(visit)
    const digest = sha256(visit.browser.secret)
    if (pending === undefined) {
      return { kind: 'page', page, id: await store.keep(visit.request, digest, waitSeconds) }
    }
    if (!(await store.claim(pending, waitSeconds))) throw requestGone()
    return { kind: 'page', page, id: pending.id }
  }

  const complete = async (visit: Visit, session: BrowserSession): Promise<Step> => {
    const { request, client, browser } = visit
    const code = `tac_${randomToken()}`
    const completion = await store.complete(
      pendingOf(visit),
      {
        ...{ digest: sha256(code), request, ttlSeconds: codeTtlSeconds },
        ...{ userId: session.userId, sessionId: session.id },
      },
      [grantedEvent(request, session, browser.origin)],
    )
    if (completion === 'used') throw requestGone()
    if (completion === 'completed') {
      return { kind: 'answer', response: await answers.make(request, client, { code }) }
    }
    const remaining = browser.sessions.filter(({ id }) => id !== session.id)
    return decide({ ...visit, browser: { ...browser, sessions: remaining } })
  }

  const decide = async (visit: Visit): Promise<Step> => {
    const { request, client, stored, browser } = visit
    const createdAt = stored?.createdAt
    const selection = selectSession({ ...visit, createdAt, sessions: browser.sessions })
    if (selection.kind === 'page') return showPage(visit, selection.page)
    if (selection.kind === 'error') {
      return answerError(visit, new OAuthError(selection.code, silentReasons[selection.code]))
    }
    const { session } = selection
    const wish = {
      ...{ request, createdAt },
      audience: request.audience ?? audienceOf(client, parts.defaultAudience),
      policy: isVetted(client) ? client.settings.consent : 'always',
      consent: await parts.consents.find(session.userId, client.id),
    } as const
    if (!needsConsent(wish)) return complete(visit, session)
    if (!request.prompt.includes('none')) {
      const step = await showPage(visit, 'consent')
      // The page asks whom the decision asks.
      await store.choose({ id: step.id, browserDigest: sha256(browser.secret) }, session.id)
      return step
    }
    const reason = 'The user has not agreed to this yet'
    return answerError(visit, new OAuthError('consent_required', reason))
  }

  const refuse = async (refused: RefusedRequest, client: Client): Promise<Step> => {
    const { target, reason } = refused
    if (target === undefined || !maySendErrors(client)) throw reason
    return { kind: 'answer', response: await answers.makeError(target, client, reason) }
  }

  const begin = async (sent: RawParameters, browser: RequestingBrowser): Promise<Step> => {
    const clientId = onlyValue(sent, 'client_id')
    const client = clientId === undefined ? undefined : await parts.clients.find(clientId)
    if (client === undefined || client.disabledAt !== null) {
      throw invalidRequest('The client_id is missing or unknown')
    }
    try {
      if (sent.request_uri !== undefined) {
        const found = await parts.pushed.find(client, sent, sha256(browser.secret))
        return await decide({ ...found, client, stored: found, chosen: found.sessionId, browser })
      }
      const request = await readRequest(parts, sent, client)
      if (client.settings.requirePushedAuthorizationRequests || parts.requirePushed) {
        throw new RefusedRequest(invalidRequest('The request must be pushed (RFC 9126)'), request)
      }
      const fresh = { stored: undefined, chosen: null, now: clock() }
      return await decide({ ...fresh, client, request, browser })
    } catch (error) {
      if (error instanceof RefusedRequest) return refuse(error, client)
      throw error
    }
  }

  return {
    begin,
    async resume(id, browser) {
      const pending = { id, browserDigest: sha256(browser.secret) }
      const found = isUuid(id) ? await store.find(pending) : undefined
      if (found === undefined) throw requestGone()
      const client = await parts.clients.find(found.request.clientId)
      if (client === undefined || client.disabledAt !== null) throw requestGone()
      return decide({ ...found, client, stored: found, chosen: found.sessionId, browser })
    },
  }
}
