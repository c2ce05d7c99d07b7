import { createHash } from 'node:crypto'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { ClientRegistration } from '../../../src/clients/client-registration.ts'
import { register, type TestService } from '../../support/service.ts'
import { basic, byOperator, postForm } from './requests.ts'

export const redirectUri = 'https://app.example/callback'

export const verifier = 'the-verifier-that-only-the-app-knows-0123456789'
const challengeOf = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** The parameters of a good request; a list stands for a repeated one, undefined for none. */
export type Asked = Readonly<Record<string, string | readonly string[] | undefined>>

export const goodRequest = {
  response_type: 'code',
  redirect_uri: redirectUri,
  state: 'the state',
  code_challenge: challengeOf(verifier),
  code_challenge_method: 'S256',
} as const

export const toQuery = (asked: Asked): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(asked)) {
    for (const each of [value ?? []].flat()) query.append(name, each)
  }
  return query.toString()
}

/** A client of the code flow that asks for no consent, unless a test says so. */
export const createApp = async (
  { deps }: Pick<TestService, 'deps'>,
  { settings, ...registration }: Partial<ClientRegistration> = {},
) => {
  const { client, secret = '' } = await deps.clientAdministration.create(
    {
      name: 'App',
      grantTypes: ['authorization_code', 'refresh_token'],
      scope: ['openid', 'offline_access', 'read', 'write'],
      redirectUris: [redirectUri],
      settings: { consent: 'skip', ...settings },
      ...registration,
    },
    byOperator,
  )
  const headers = secret === '' ? {} : basic(client.id, secret)
  const credentials: Record<string, string> = secret === '' ? { client_id: client.id } : {}
  return { client, id: client.id, secret, headers, credentials }
}

export type App = Awaited<ReturnType<typeof createApp>>

/** A browser by its cookies; those that it is given stay. */
export const createBrowser = (app: FastifyInstance) => {
  const cookies: Record<string, string> = {}
  const keep = (answer: LightMyRequestResponse): LightMyRequestResponse => {
    for (const { name, value } of answer.cookies) cookies[name] = value
    return answer
  }
  return {
    cookies,
    /** @param node another node of the service */
    get: async (url: string, node = app) => keep(await node.inject({ url, cookies })),
    post: async (url: string, payload: string, node = app) =>
      keep(
        await node.inject({
          method: 'POST',
          url,
          payload,
          cookies,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        }),
      ),
  }
}

export type Browser = ReturnType<typeof createBrowser>

/** Somebody signs in to the browser, beside whoever has. */
export const signIn = async (
  { app, deps }: Pick<TestService, 'app' | 'deps'>,
  { cookies }: Browser,
  person?: { readonly email: string; readonly password: string },
) => {
  const { email, password } = person ?? (await register(app))
  const kept = (cookies.tessera_session ?? '').split('.').filter((secret) => secret !== '')
  const signedIn = await deps.accounts.signInBrowser(
    { email },
    password,
    {},
    {
      device: undefined,
      kept,
    },
  )
  if (signedIn === undefined) throw new Error('the sign-in failed')
  cookies.tessera_session = [signedIn.secret, ...kept].join('.')
  return { userId: signedIn.user.id, sessionId: signedIn.sessionId, email, password }
}

/** A person whose one session is in the browser. */
export const openBrowser = async (service: Pick<TestService, 'app' | 'deps'>) => {
  const browser = createBrowser(service.app)
  return { browser, ...(await signIn(service, browser)) }
}

/** Where an answer sends the browser, and with what. */
export const sentTo = (answer: LightMyRequestResponse) => {
  const location = answer.headers.location?.toString() ?? ''
  const [address = '', query = ''] = location.split(/\?(.*)/s, 2)
  return {
    status: answer.statusCode,
    address,
    parameters: Object.fromEntries(new URLSearchParams(query)),
  }
}

/** Asks as the app does, and takes the code. */
export const takeCode = async (browser: Browser, app: App, asked: Asked = {}): Promise<string> => {
  const query = toQuery({ client_id: app.id, ...goodRequest, ...asked })
  const answer = await browser.get(`/authorize?${query}`)
  const { code } = sentTo(answer).parameters
  if (code === undefined) throw new Error(`no code: ${answer.headers.location} ${answer.body}`)
  return code
}

/** Redeems a code as the app does. */
export const redeem = (
  node: FastifyInstance,
  app: App,
  code: string,
  form: Readonly<Record<string, string>> = {},
) =>
  postForm(
    node,
    '/token',
    {
      grant_type: 'authorization_code',
      ...{ code, redirect_uri: redirectUri, code_verifier: verifier },
      ...app.credentials,
      ...form,
    },
    app.headers,
  )
