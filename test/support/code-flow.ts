import * as openid from 'openid-client'
import {
  createBrowser,
  type Person,
  type Provider,
  passPages,
  redirectUri,
  registerPerson,
} from './relying-party.ts'
import type { WebAgent, WebPage } from './web-agent.ts'

export type App = { readonly id: string; readonly secret: string }

/** A person and the browser that is theirs. */
export type Visitor = { readonly person: Person; readonly agent: WebAgent }

/** Somebody who is signed in, without the way through the pages. */
export const createVisitor = async (provider: Provider): Promise<Visitor> => {
  const person = await registerPerson(provider)
  const agent = createBrowser(provider)
  const { email, password } = person
  const known = { device: undefined, kept: [] }
  const signedIn = await provider.deps.accounts.signInBrowser({ email }, password, {}, known)
  if (signedIn === undefined) throw new Error('the sign-in failed')
  agent.cookiesOf(provider.issuer).set('tessera_session', signedIn.secret)
  return { person, agent }
}

export type Pkce = { readonly verifier: string; readonly challenge: string }

export const createPkce = async (): Promise<Pkce> => {
  const verifier = openid.randomPKCECodeVerifier()
  return { verifier, challenge: await openid.calculatePKCECodeChallenge(verifier) }
}

/** Parameters by name; undefined leaves out what would be there. */
export type Changes = Readonly<Record<string, string | undefined>>

export const withChanges = (
  parameters: Readonly<Record<string, string>>,
  changes: Changes,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ ...parameters, ...changes }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  )

/** The parameters of a request that is right, but for the changes. */
export const requestOf = (
  app: Pick<App, 'id'>,
  { challenge }: Pick<Pkce, 'challenge'>,
  changes: Changes = {},
): Record<string, string> =>
  withChanges(
    {
      client_id: app.id,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: 'openid email',
      state: 'the-state',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    },
    changes,
  )

export const authorizeUrl = (
  { issuer }: Provider,
  parameters: Readonly<Record<string, string>>,
): URL => new URL(`${issuer}/authorize?${new URLSearchParams(parameters)}`)

/** Brings a request to the provider, and goes through its pages as one who agrees. */
export const authorize = async (
  provider: Provider,
  { agent, person }: Visitor,
  parameters: Readonly<Record<string, string>>,
): Promise<WebPage> =>
  passPages(agent, await agent.open(authorizeUrl(provider, parameters)), person)

/** The code of a request that is right, but for the changes. */
export const takeCode = async (
  provider: Provider,
  visitor: Visitor,
  app: App,
  pkce: Pkce,
  changes: Changes = {},
): Promise<string> => {
  const page = await authorize(provider, visitor, requestOf(app, pkce, changes))
  const code = page.url.searchParams.get('code')
  if (page.status === 0 && code !== null) return code
  throw new Error(`no code at ${page.url}:\n${page.text}`)
}

export type TokenAnswer = { readonly status: number; readonly body: Record<string, string> }

/** Posts a form to an endpoint of the provider, authenticated as the app by its secret. */
export const postAs = async (
  { issuer }: Provider,
  path: string,
  app: App,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<TokenAnswer> => {
  const credentials = btoa(`${encodeURIComponent(app.id)}:${encodeURIComponent(app.secret)}`)
  const isPublic = app.secret === ''
  const answer = await fetch(`${issuer}${path}`, {
    method: 'POST',
    headers: { ...(isPublic ? {} : { authorization: `Basic ${credentials}` }), ...headers },
    body: new URLSearchParams({ ...(isPublic ? { client_id: app.id } : {}), ...form }),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? {} : JSON.parse(text) }
}

/** Redeems a code by a token request that is right, but for the changes. */
export const redeem = (
  provider: Provider,
  app: App,
  code: string,
  { verifier }: Pick<Pkce, 'verifier'>,
  changes: Changes = {},
): Promise<TokenAnswer> => {
  const grant = { grant_type: 'authorization_code', code }
  const proofs = { redirect_uri: redirectUri, code_verifier: verifier }
  return postAs(provider, '/token', app, withChanges({ ...grant, ...proofs }, changes))
}

/** Whether the provider says that a token is good; the app asks about its own. */
export const isActive = async (provider: Provider, app: App, token: string): Promise<boolean> => {
  const { body } = await postAs(provider, '/introspect', app, { token })
  return String(body.active) === 'true'
}
