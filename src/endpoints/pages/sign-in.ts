import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { toLoginName } from '../../accounts/user.ts'
import { browserSessionsOf } from '../../plugins/browser-sessions.ts'
import { browsersOf } from '../../plugins/browsers.ts'
import { pagesOf } from '../../plugins/pages.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { answerBrowserSignIn, refusedForm } from './form-answer.ts'
import { attempt, type FormRefusal, missingField } from './form-refusal.ts'
import { formOf, type PageDeps, pageConfig, visitQuery } from './page-deps.ts'
import { createVisits, type Visit } from './visits.ts'

const wrong: FormRefusal = { error: 'invalid_credentials', status: 403 }

/** `GET` and `POST /sign-in` */
export const signIn: FastifyPluginAsyncTypebox<PageDeps> = async (app, deps) => {
  const { accounts, config, knownDevices } = deps
  const [pages, browsers, cookies] = [pagesOf(app), browsersOf(app), browserSessionsOf(app)]
  const visits = createVisits(app, deps)

  const show = (
    request: FastifyRequest,
    reply: FastifyReply,
    visit: Visit,
    username: string,
    refusal?: FormRefusal,
  ) => {
    const data = {
      action: visit.address('/sign-in'),
      username,
      client: visit.client,
      registerHref: config.registration === 'closed' ? undefined : visit.address('/register'),
      error: refusal?.error,
    }
    return pages.send(request, reply, 'sign-in', data, refusedForm(reply, visit, refusal))
  }

  const shown = { schema: { hide: true, querystring: visitQuery }, config: pageConfig }
  app.get('/sign-in', shown, async (request, reply) => {
    const visit = await visits.open(request, reply)
    return show(request, reply, visit, visit.interaction?.request.loginHint ?? '')
  })

  const posted = {
    schema: { ...shown.schema, body: formOf('username', 'password') },
    config: { ...pageConfig, rateLimit: 'sign_in' },
  } as const
  app.post('/sign-in', posted, async (request, reply) => {
    await pages.requireOwnForm(request)
    const visit = await visits.open(request, reply)
    const { username, password } = request.body
    if (username === undefined || password === undefined) {
      return show(request, reply, visit, username ?? '', missingField)
    }
    const name = toLoginName(username)
    const device = await knownDevices.recognise(cookies.read(request, 'device'), name)
    const kept = browsers.secretsOf(request)
    const tried = await attempt(async () => ({
      signedIn: await accounts.signInBrowser(name, password, originOf(request), { device, kept }),
    }))
    if ('refusal' in tried) return show(request, reply, visit, username, tried.refusal)
    const { signedIn } = tried.done
    if (signedIn === undefined) return show(request, reply, visit, username, wrong)
    return answerBrowserSignIn(deps, [request, reply], visit, signedIn)
  })
}
