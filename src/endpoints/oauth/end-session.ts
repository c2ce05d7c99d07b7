import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { BrowserSession } from '../../accounts/browser-session.ts'
import {
  decideLogout,
  type LogoutRequest,
  readLogoutRequest,
} from '../../authorize/logout-request.ts'
import type { RawParameters } from '../../authorize/parameters.ts'
import { isVetted } from '../../clients/client.ts'
import type { Deps } from '../../deps.ts'
import { rawParametersOf, registerRawParameters } from '../../plugins/authorization-request.ts'
import { browsersOf } from '../../plugins/browsers.ts'
import { registerFormBody } from '../../plugins/form-body.ts'
import { pagesOf } from '../../plugins/pages.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { formMediaType } from './client-parameters.ts'

const parameters = Type.Object({
  id_token_hint: Type.Optional(
    Type.String({ description: 'Who is meant, however long ago it expired' }),
  ),
  client_id: Type.Optional(Type.String({ description: 'Which client asks' })),
  post_logout_redirect_uri: Type.Optional(
    Type.String({ description: 'Where the browser goes then; one of the client’s own' }),
  ),
  state: Type.Optional(Type.String({ description: 'Comes back with the browser' })),
  ui_locales: Type.Optional(Type.String({ description: 'Languages of the pages' })),
})

// What a browser gets is no data.
const page = { 'text/html': { schema: Type.String() } }
const responses: Readonly<Record<number, object>> = {
  200: { description: 'A page: the question, or that it is done', content: page },
  303: Type.Null({ description: 'To where the client wants the browser' }),
  400: { description: 'A page: the hint, client or URI is not right', content: page },
}

const shared = {
  summary: 'Sign a person out',
  description:
    'For browsers: asks the person first, unless `id_token_hint` names who is signed in here.',
  tags: ['OAuth'],
  response: responses,
}

// What is wrong is told by a page, and not that of a schema.
const options = { validatorCompiler: () => () => true, config: { errorFormat: 'page' } } as const

type EndSessionDeps = Pick<Deps, 'accounts' | 'clients' | 'idTokenHints'>

/** `GET` and `POST /logout` (OpenID Connect RP-Initiated Logout), and the form that confirms it. */
export const endSession: FastifyPluginAsyncTypebox<EndSessionDeps> = async (app, deps) => {
  registerRawParameters(app)
  const [browsers, pages] = [browsersOf(app), pagesOf(app)]
  const action = `${pages.basePath}/logout/confirm`

  const end = async (
    request: FastifyRequest,
    present: readonly BrowserSession[],
    ended: readonly BrowserSession[],
    reply: FastifyReply,
  ): Promise<void> => {
    for (const { userId, id } of ended) {
      await deps.accounts.ownSessions.end(userId, id, originOf(request))
    }
    if (ended.length === present.length) browsers.clearSessions(reply)
  }

  const finish = (
    request: FastifyRequest,
    reply: FastifyReply,
    { client, redirectUri, state, uiLocales }: LogoutRequest,
  ): FastifyReply => {
    const target = redirectUri && withState(redirectUri, state)
    // A client that let itself in could else use the service as an open redirector.
    if (target && client && isVetted(client)) return reply.redirect(target, 303)
    const signInHref = `${pages.basePath}/sign-in`
    const back = target && client ? { href: target, client: client.name } : undefined
    return pages.send(request, reply, 'signed-out', { signInHref, back }, { uiLocales })
  }

  app.get(
    '/logout',
    { ...options, schema: { ...shared, querystring: parameters } },
    async (request, reply) => {
      const raw = rawParametersOf(request)
      const logout = await readLogoutRequest(raw, deps)
      const present = await browsers.allSessionsOf(request)
      const { asks, sessions } = decideLogout(logout, present)
      if (!asks) {
        await end(request, present, sessions, reply as never)
        return finish(request, reply as never, logout)
      }
      const data = {
        ...{ action, client: logout.client?.name, fields: fieldsOf(logout) },
        email: sessions.length === 1 ? sessions[0]?.email : undefined,
      }
      const { uiLocales, redirectUri } = logout
      const target = redirectUri === undefined ? {} : { formTarget: redirectUri }
      return pages.send(request, reply as never, 'logout', data, { uiLocales, ...target })
    },
  )

  // Our cookies do not come with a form of another site, but they do when the browser goes on.
  const form = { ...shared, consumes: [formMediaType], body: parameters }
  app.post('/logout', { ...options, schema: form }, async (request, reply) => {
    const raw = rawParametersOf(request)
    await readLogoutRequest(raw, deps)
    return reply.redirect(`${pages.basePath}/logout${queryOf(raw)}`, 303)
  })

  app.register(async (own) => {
    registerFormBody(own)
    own.post('/logout/confirm', { ...options, schema: { hide: true } }, async (request, reply) => {
      await pages.requireOwnForm(request)
      const sent = request.body as Readonly<Record<string, string>>
      if (sent.decision !== 'allow') return reply.redirect(`${pages.basePath}/account`, 303)
      const logout = await readLogoutRequest(toRaw(sent), deps)
      const present = await browsers.allSessionsOf(request)
      await end(request, present, present, reply)
      return finish(request, reply, logout)
    })
  })
}

const names = Object.keys(parameters.properties)

const toRaw = (sent: Readonly<Record<string, string>>): RawParameters =>
  Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, [value]]))

const queryOf = (raw: RawParameters): string => {
  const query = new URLSearchParams(
    Object.entries(raw).flatMap(([name, values]) =>
      names.includes(name) ? values.map((value): [string, string] => [name, value]) : [],
    ),
  )
  return query.size === 0 ? '' : `?${query}`
}

/** What the form brings back; whom the hint names has been asked. */
const fieldsOf = ({ client, redirectUri, state, uiLocales }: LogoutRequest) => ({
  ...(client === undefined ? {} : { client_id: client.id }),
  ...(redirectUri === undefined ? {} : { post_logout_redirect_uri: redirectUri }),
  ...(state === undefined ? {} : { state }),
  ...(uiLocales.length === 0 ? {} : { ui_locales: uiLocales.join(' ') }),
})

const withState = (uri: string, state: string | undefined): string => {
  if (state === undefined) return uri
  return `${uri}${uri.includes('?') ? '&' : '?'}${new URLSearchParams({ state })}`
}
