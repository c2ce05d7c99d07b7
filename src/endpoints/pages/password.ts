import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BrowserSession } from '../../accounts/browser-session.ts'
import { browsersOf } from '../../plugins/browsers.ts'
import { pagesOf } from '../../plugins/pages.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { refusedForm } from './form-answer.ts'
import { attempt, type FormRefusal, missingField } from './form-refusal.ts'
import { formOf, type PageDeps, pageConfig, visitQuery } from './page-deps.ts'
import { createVisits, type Visit } from './visits.ts'

/**
 * `GET` and `POST /password`: whoever must change the password does it here, and until then the
 * session is good for nothing else.
 */
export const password: FastifyPluginAsyncTypebox<PageDeps> = async (app, deps) => {
  const { ownAccount } = deps.accounts
  const [pages, browsers] = [pagesOf(app), browsersOf(app)]
  const visits = createVisits(app, deps)

  const show = (
    request: FastifyRequest,
    reply: FastifyReply,
    visit: Visit,
    { id, email }: BrowserSession,
    refusal?: FormRefusal,
  ) => {
    const data = { action: visit.address('/password'), session: id, email, error: refusal?.error }
    return pages.send(request, reply, 'password', data, refusedForm(reply, visit, refusal))
  }

  const waitingSessions = async (request: FastifyRequest) =>
    (await browsers.allSessionsOf(request)).filter(({ mustChangePassword }) => mustChangePassword)

  const shown = { schema: { hide: true, querystring: visitQuery }, config: pageConfig }
  app.get('/password', shown, async (request, reply) => {
    const visit = await visits.open(request, reply)
    const [session] = await waitingSessions(request)
    return session === undefined ? visit.goOn() : show(request, reply, visit, session)
  })

  const posted = {
    schema: { ...shown.schema, body: formOf('session', 'current_password', 'new_password') },
    config: { ...pageConfig, rateLimit: 'sign_in' },
  } as const
  app.post('/password', posted, async (request, reply) => {
    await pages.requireOwnForm(request)
    const visit = await visits.open(request, reply)
    const { session: id, current_password: current, new_password: next } = request.body
    const session = (await waitingSessions(request)).find((each) => each.id === id)
    if (session === undefined) return visit.goOn()
    if (current === undefined || next === undefined) {
      return show(request, reply, visit, session, missingField)
    }
    const self = { userId: session.userId, sessionId: session.id }
    const tried = await attempt(async () => {
      await ownAccount.changePassword(self, { current, next }, originOf(request))
      return self
    })
    if ('refusal' in tried) return show(request, reply, visit, session, tried.refusal)
    return visit.goOn()
  })
}
