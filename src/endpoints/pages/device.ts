import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BrowserSession } from '../../accounts/browser-session.ts'
import { audienceOf } from '../../grants/client-audience.ts'
import type { FoundDevice } from '../../grants/device-requests.ts'
import { Problem } from '../../oauth/problem.ts'
import { browsersOf } from '../../plugins/browsers.ts'
import { languageOf } from '../../plugins/language.ts'
import { pagesOf } from '../../plugins/pages.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { deviceConfirmPage } from './device-page.ts'
import { formOf, type PageDeps, pageConfig, visitQuery } from './page-deps.ts'

const config = { ...pageConfig, rateLimit: 'user_code' } as const

/**
 * `GET` and `POST /device`, where a person types in the code of a device, and `POST /device/confirm`
 * (RFC 8628 §3.3). Whichever way the code came, it is shown again before anything is allowed (§5.4).
 */
export const device: FastifyPluginAsyncTypebox<PageDeps> = async (app, deps) => {
  const { accounts, deviceRequests, deviceCodes, clients } = deps
  const [pages, browsers] = [pagesOf(app), browsersOf(app)]
  const action = (path: string): string => pages.basePath + path

  const showForm = (
    request: FastifyRequest,
    reply: FastifyReply,
    userCode: string,
    isWrong = false,
  ) => {
    const error = isWrong ? ('user_code' as const) : undefined
    const data = { action: action('/device'), userCode, error }
    return pages.send(request, reply, 'device', data, { status: isWrong ? 400 : 200 })
  }

  /** Every code that is tried counts: by address before, and here for all together. */
  const find = async (
    request: FastifyRequest,
    typed: string | undefined,
  ): Promise<FoundDevice | undefined> => {
    await pages.requireOwnForm(request)
    await request.countRequest?.('user_codes', 'client', 'all')
    const found = typed === undefined ? undefined : await deviceRequests.find(typed)
    const client = found && (await clients.find(found.clientId))
    if (found === undefined || client === undefined || client.disabledAt !== null) return undefined
    return { ...found, client }
  }

  const shown = { schema: { hide: true, querystring: visitQuery }, config: pageConfig }
  app.get('/device', shown, async (request, reply) =>
    showForm(request, reply, request.query.user_code?.slice(0, 64) ?? ''),
  )

  const showConfirm = (
    request: FastifyRequest,
    reply: FastifyReply,
    found: FoundDevice,
    session: BrowserSession,
  ) => {
    const audience = found.audience ?? audienceOf(found.client, deps.config.defaultAudience)
    const data = deviceConfirmPage(
      { ...found, audience: audience.filter((each) => each !== deps.config.issuer) },
      session,
      languageOf(request),
      deps.config,
    )
    const page = { ...data, action: action('/device/confirm') }
    return pages.send(request, reply, 'device-confirm', page)
  }

  const typed = { schema: { hide: true, body: formOf('user_code') }, config }
  app.post('/device', typed, async (request, reply) => {
    const { user_code: text } = request.body
    const found = await find(request, text)
    if (found === undefined) return showForm(request, reply, text ?? '', true)
    const [session] = await browsers.sessionsOf(request)
    return session === undefined
      ? reply.redirect(action(`/sign-in?user_code=${found.userCode}`), 303)
      : showConfirm(request, reply, found, session)
  })

  const decided = {
    schema: { hide: true, body: formOf('user_code', 'session', 'decision') },
    config,
  }
  app.post('/device/confirm', decided, async (request, reply) => {
    const { user_code: text, session: shownFor, decision } = request.body
    const found = await find(request, text)
    if (found === undefined) throw new Problem('interaction_expired')
    const sessions = await browsers.sessionsOf(request)
    const session = sessions.find(({ id }) => id === shownFor)
    if (session === undefined) {
      return reply.redirect(action(`/device?user_code=${found.userCode}`), 303)
    }
    const act = { actor: session.userId, origin: originOf(request) }
    if (decision === 'deny') {
      if (!(await deviceCodes.deny(found.id, act))) throw new Problem('interaction_expired')
      return pages.send(request, reply, 'device-denied', {})
    }
    // Anything but a plain yes is asked again.
    if (decision !== 'allow') return showConfirm(request, reply, found, session)
    await accounts.ownConsents.grant(consentOf(found, session, deps), act.origin)
    const login = { userId: session.userId, sessionId: session.id }
    if (!(await deviceCodes.approve(found.id, login, act))) throw new Problem('interaction_expired')
    return pages.send(request, reply, 'device-done', {})
  })
}

/** Listed, and to be taken back, as any other. */
const consentOf = (
  found: FoundDevice,
  { userId }: BrowserSession,
  { config: { defaultAudience } }: Pick<PageDeps, 'config'>,
) => ({
  userId,
  clientId: found.client.id,
  scope: found.scope,
  audience: found.audience ?? audienceOf(found.client, defaultAudience),
  authorizationDetails: found.authorizationDetails ?? [],
})
