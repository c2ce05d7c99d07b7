import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { BrowserSession } from '../../accounts/browser-session.ts'
import type { Interaction } from '../../authorize/interactions.ts'
import { audienceOf } from '../../grants/client-audience.ts'
import { Problem } from '../../oauth/problem.ts'
import { sendAuthorizationResponse } from '../../plugins/authorization-response.ts'
import { browsersOf } from '../../plugins/browsers.ts'
import { languageOf } from '../../plugins/language.ts'
import { pagesOf } from '../../plugins/pages.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { consentPage } from './consent-page.ts'
import { formOf, type PageDeps, pageConfig, visitQuery } from './page-deps.ts'
import { createVisits } from './visits.ts'

/** `GET` and `POST /consent`: what a client may do for whoever is signed in. */
export const consent: FastifyPluginAsyncTypebox<PageDeps> = async (app, deps) => {
  const { accounts, config, interactions } = deps
  const [pages, browsers] = [pagesOf(app), browsersOf(app)]
  const visits = createVisits(app, deps)

  const audienceFor = ({ request, client }: Interaction): readonly string[] =>
    request.audience ?? audienceOf(client, config.defaultAudience)

  const shown = { schema: { hide: true, querystring: visitQuery }, config: pageConfig }
  app.get('/consent', shown, async (request, reply) => {
    const visit = await visits.open(request, reply)
    const { interaction } = visit
    const session = interaction && asked(interaction, await browsers.sessionsOf(request))
    if (interaction === undefined || session === undefined) return visit.goOn()
    const language = languageOf(request, interaction.request.uiLocales)
    const audience = audienceFor(interaction).filter((each) => each !== config.issuer)
    const data = consentPage(interaction, session, audience, language, config)
    const addresses = { action: visit.address('/consent'), switchHref: visit.address('/sign-in') }
    const imageOrigin = data.logo === undefined ? {} : { imageOrigin: new URL(data.logo).origin }
    const sending = { ...visit.sending, ...imageOrigin }
    return pages.send(request, reply, 'consent', { ...data, ...addresses }, sending)
  })

  /** Once: a second `deny`, or one after the answer, finds nothing to refuse. */
  const deny = async ({ id }: Interaction, request: FastifyRequest) => {
    const browser = browsers.knownSecretOf(request)
    const response = browser && (await interactions.deny(id, browser, originOf(request)))
    if (!response) throw new Problem('interaction_expired')
    return response
  }

  const posted = { ...shown, schema: { ...shown.schema, body: formOf('session', 'decision') } }
  app.post('/consent', posted, async (request, reply) => {
    await pages.requireOwnForm(request)
    const visit = await visits.open(request, reply)
    const { interaction } = visit
    const { session: shownFor, decision } = request.body
    if (interaction === undefined) return visit.goOn()
    if (decision === 'deny') {
      return sendAuthorizationResponse(reply, await deny(interaction, request))
    }
    const session = (await browsers.sessionsOf(request)).find(({ id }) => id === shownFor)
    // Anything but a plain yes, or a yes of somebody who has signed out, is asked again.
    if (decision !== 'allow' || session === undefined) return visit.goOn()
    await accounts.ownConsents.grant(
      {
        userId: session.userId,
        clientId: interaction.client.id,
        scope: interaction.request.scope,
        audience: audienceFor(interaction),
        authorizationDetails: interaction.request.authorizationDetails ?? [],
      },
      originOf(request),
    )
    await visit.choose(session.id)
    return visit.goOn()
  })
}

/** Whose consent is asked for: who was picked for this request, else who signed in last. */
const asked = (
  { request, sessionId }: Interaction,
  sessions: readonly BrowserSession[],
): BrowserSession | undefined => {
  const { hintedSubject } = request
  const fitting = sessions.filter(({ userId }) => [userId, undefined].includes(hintedSubject))
  return fitting.find(({ id }) => id === sessionId) ?? fitting[0]
}
