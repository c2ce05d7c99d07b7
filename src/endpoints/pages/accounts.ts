import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { browsersOf } from '../../plugins/browsers.ts'
import { pagesOf } from '../../plugins/pages.ts'
import { formOf, type PageDeps, pageConfig, visitQuery } from './page-deps.ts'
import { createVisits } from './visits.ts'

/** `GET` and `POST /accounts`: which of those who are signed in here answers the request. */
export const accounts: FastifyPluginAsyncTypebox<PageDeps> = async (app, deps) => {
  const [pages, browsers] = [pagesOf(app), browsersOf(app)]
  const visits = createVisits(app, deps)

  const shown = { schema: { hide: true, querystring: visitQuery }, config: pageConfig }
  app.get('/accounts', shown, async (request, reply) => {
    const visit = await visits.open(request, reply)
    if (visit.interaction === undefined) return visit.goOn()
    const { hintedSubject } = visit.interaction.request
    const sessions = (await browsers.sessionsOf(request)).filter(
      ({ userId }) => hintedSubject === undefined || userId === hintedSubject,
    )
    if (sessions.length === 0) return visit.goOn()
    const data = {
      action: visit.address('/accounts'),
      otherHref: visit.address('/sign-in'),
      client: visit.client,
      accounts: sessions.map(({ id, email, name }) => ({ session: id, email, name })),
    }
    return pages.send(request, reply, 'accounts', data, visit.sending)
  })

  const posted = { ...shown, schema: { ...shown.schema, body: formOf('session') } }
  app.post('/accounts', posted, async (request, reply) => {
    await pages.requireOwnForm(request)
    const visit = await visits.open(request, reply)
    const sessions = await browsers.sessionsOf(request)
    const picked = sessions.find(({ id }) => id === request.body.session)
    if (picked === undefined) return reply.redirect(visit.address('/accounts'), 303)
    await visit.choose(picked.id)
    return visit.goOn()
  })
}
