import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../oauth/problem.ts'
import { browsersOf } from '../../plugins/browsers.ts'
import { pagesOf } from '../../plugins/pages.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { answerBrowserSignIn, refusedForm } from './form-answer.ts'
import { attempt, type FormRefusal, missingField } from './form-refusal.ts'
import { formOf, type PageDeps, pageConfig, visitQuery } from './page-deps.ts'
import { createVisits, type Visit } from './visits.ts'

type Typed = { readonly email?: string; readonly name?: string }

/** `GET` and `POST /register`, where registration is open */
export const register: FastifyPluginAsyncTypebox<PageDeps> = async (app, deps) => {
  const { accounts, config } = deps
  const [pages, browsers] = [pagesOf(app), browsersOf(app)]
  const visits = createVisits(app, deps)

  const show = (
    request: FastifyRequest,
    reply: FastifyReply,
    visit: Visit,
    { email = '', name = '' }: Typed,
    refusal?: FormRefusal,
  ) => {
    const addresses = { action: visit.address('/register'), signInHref: visit.address('/sign-in') }
    const data = { ...addresses, email, name, client: visit.client, error: refusal?.error }
    return pages.send(request, reply, 'register', data, refusedForm(reply, visit, refusal))
  }

  const shown = { schema: { hide: true, querystring: visitQuery }, config: pageConfig }
  app.get('/register', shown, async (request, reply) => {
    if (config.registration === 'closed') throw new Problem('registration_closed')
    const visit = await visits.open(request, reply)
    const hint = visit.interaction?.request.loginHint
    return show(request, reply, visit, hint?.includes('@') ? { email: hint } : {})
  })

  const posted = {
    schema: { ...shown.schema, body: formOf('email', 'name', 'password') },
    config: { ...pageConfig, rateLimit: 'registration' },
  } as const
  app.post('/register', posted, async (request, reply) => {
    await pages.requireOwnForm(request)
    const visit = await visits.open(request, reply)
    const { email, name, password } = request.body
    if (email === undefined || password === undefined) {
      return show(request, reply, visit, request.body, missingField)
    }
    const account = { email, password, ...(name === undefined ? {} : { name }) }
    const tried = await attempt(() =>
      accounts.registerInBrowser(account, originOf(request), browsers.secretsOf(request)),
    )
    if ('refusal' in tried) return show(request, reply, visit, request.body, tried.refusal)
    return answerBrowserSignIn(deps, [request, reply], visit, tried.done)
  })
}
