import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { BrowserSession } from '../../accounts/browser-session.ts'
import { browsersOf } from '../../plugins/browsers.ts'
import { languageOf } from '../../plugins/language.ts'
import { pagesOf } from '../../plugins/pages.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { personLine } from './account-page.ts'
import { formOf, type PageDeps, pageConfig } from './page-deps.ts'

/** `GET /account`, and what its buttons do: sign out, end a session, take a consent back. */
export const account: FastifyPluginAsyncTypebox<PageDeps> = async (app, deps) => {
  const { ownSessions, ownConsents } = deps.accounts
  const [pages, browsers] = [pagesOf(app), browsersOf(app)]
  const { basePath } = pages
  const schema = { hide: true }

  app.get('/account', { schema, config: pageConfig }, async (request, reply) => {
    const all = await browsers.allSessionsOf(request)
    const people = all.filter(({ mustChangePassword }) => !mustChangePassword)
    if (people.length === 0) {
      return reply.redirect(`${basePath}${all.length > 0 ? '/password' : '/sign-in'}`, 303)
    }
    const language = languageOf(request)
    return pages.send(request, reply, 'account', {
      people: await Promise.all(people.map((person) => personLine(deps, person, language))),
      signOutAction: `${basePath}/account/sign-out`,
      endSessionAction: `${basePath}/account/end-session`,
      endConsentAction: `${basePath}/account/take-back`,
      otherHref: `${basePath}/sign-in`,
    })
  })

  /** The one in whose part of the page the button stands; undefined when signed out meanwhile. */
  const personOf = async (
    request: FastifyRequest<{ Body: { session?: string } }>,
  ): Promise<BrowserSession | undefined> => {
    await pages.requireOwnForm(request)
    const sessions = await browsers.allSessionsOf(request)
    return sessions.find(({ id }) => id === request.body.session)
  }

  const signOut = { schema: { ...schema, body: formOf('session') }, config: pageConfig }
  app.post('/account/sign-out', signOut, async (request, reply) => {
    const person = await personOf(request)
    if (person !== undefined) await ownSessions.end(person.userId, person.id, originOf(request))
    const remaining = await browsers.allSessionsOf(request)
    if (remaining.length === 0) browsers.clearSessions(reply)
    return reply.redirect(`${basePath}${remaining.length === 0 ? '/signed-out' : '/account'}`, 303)
  })

  const endSession = { schema: { ...schema, body: formOf('session', 'ended') }, config: pageConfig }
  app.post('/account/end-session', endSession, async (request, reply) => {
    const person = await personOf(request)
    const { ended } = request.body
    if (person && ended) await ownSessions.end(person.userId, ended, originOf(request))
    return reply.redirect(`${basePath}/account`, 303)
  })

  const takeBack = {
    schema: { ...schema, body: formOf('session', 'client_id') },
    config: pageConfig,
  }
  app.post('/account/take-back', takeBack, async (request, reply) => {
    const person = await personOf(request)
    const { client_id: clientId } = request.body
    if (person && clientId) await ownConsents.revoke(person.userId, clientId, originOf(request))
    return reply.redirect(`${basePath}/account`, 303)
  })
}
