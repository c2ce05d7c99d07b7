import type { BrowserSession } from '../accounts/browser-session.ts'
import type { ConsentStore } from '../accounts/consents.ts'
import type { Origin } from '../audit/event.ts'
import { type Client, isVetted } from '../clients/client.ts'
import { audienceOf } from '../grants/client-audience.ts'
import { OAuthError } from '../oauth/error.ts'
import { sha256 } from '../secrets/digest.ts'
import { randomToken } from '../secrets/random.ts'
import { judgeAcr } from './acr-decision.ts'
import type { Answers } from './answers.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import type { AuthorizationResponse } from './authorization-response.ts'
import { needsConsent, selectSession } from './decision.ts'
import { deniedEvent, grantedEvent } from './events.ts'
import { requestGone } from './interaction-requests.ts'
import { maySendErrors } from './redirect-target.ts'
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

export type DecideParts = {
  readonly store: AuthorizationRequestStore
  readonly consents: Pick<ConsentStore, 'find'>
  readonly answers: Answers
  readonly defaultAudience: string
}

/** One request on its way: plain ones are stored only once they have to wait. */
export type Visit = {
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

const unmetAuthentication = new OAuthError(
  'unmet_authentication_requirements',
  'Nobody can sign in here as the request demands',
)

const silentReasons = {
  login_required: 'The user must sign in',
  account_selection_required: 'The user must choose an account',
} as const

/** Decides what becomes of a request by what is so now, and does it. */
export const createDecide = (parts: DecideParts): ((visit: Visit) => Promise<Step>) => {
  const { store, answers } = parts

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

  const demandMore = (visit: Visit, verdict: 'sign_in' | 'unmet'): Promise<Step> => {
    if (verdict === 'unmet') return answerError(visit, unmetAuthentication)
    return visit.request.prompt.includes('none')
      ? answerError(visit, new OAuthError('login_required', silentReasons.login_required))
      : showPage(visit, 'sign_in')
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
    const verdict = judgeAcr(request, session.acr, client.settings.profile === 'oidc-basic')
    if (verdict !== 'met') return demandMore(visit, verdict)
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

  return decide
}
