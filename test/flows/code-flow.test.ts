import { createLocalJWKSet, decodeProtectedHeader, exportJWK, jwtVerify } from 'jose'
import * as openid from 'openid-client'
import t, { type Test } from 'tap'
import type { ClientSettings } from '../../src/clients/client-settings.ts'
import {
  beginSignIn,
  createBrowser,
  discover,
  passPages,
  registerApp,
  registerPerson,
  startProvider,
} from '../support/relying-party.ts'
import type { WebPage } from '../support/web-agent.ts'

// Each client authentication with each way to send the request, over real HTTP by a library that
// is not ours and checks every answer. Bound tokens and response modes take turns among them.
const provider = await startProvider(t)
const person = await registerPerson(provider)
const keys = await openid.randomDPoPKeyPair('ES256')
const keyId = 'app-key'
const jwks = { keys: [{ ...(await exportJWK(keys.publicKey)), kid: keyId, alg: 'ES256' }] }
const signingKey = { key: keys.privateKey, kid: keyId }

type Authentication = {
  readonly method: string
  readonly by: (secret: string) => openid.ClientAuth
}

const authentications: readonly Authentication[] = [
  { method: 'none', by: () => openid.None() },
  { method: 'client_secret_basic', by: (secret) => openid.ClientSecretBasic(secret) },
  { method: 'client_secret_post', by: (secret) => openid.ClientSecretPost(secret) },
  { method: 'private_key_jwt', by: () => openid.PrivateKeyJwt(signingKey) },
]

type Parameters = Record<string, string>
type Send = (
  configuration: openid.Configuration,
  asked: Parameters,
  options: openid.DPoPOptions,
) => Promise<URL>

const ways: Readonly<Record<string, Send>> = {
  'in the address': async (configuration, asked) =>
    openid.buildAuthorizationUrl(configuration, asked),
  'pushed (PAR)': (configuration, asked, options) =>
    openid.buildAuthorizationUrlWithPAR(configuration, asked, options),
  'signed (JAR)': (configuration, asked) =>
    openid.buildAuthorizationUrlWithJAR(configuration, asked, signingKey),
  'signed and pushed': async (configuration, asked, options) => {
    const signed = await openid.buildAuthorizationUrlWithJAR(configuration, asked, signingKey)
    return openid.buildAuthorizationUrlWithPAR(configuration, signed.searchParams, options)
  },
}

/** The answer as the app receives it: by redirect, or by a form that the browser posts. */
const answerOf = (page: WebPage): URL | Request => {
  const [form] = page.forms
  if (page.status === 0 || form === undefined) return page.url
  const body = new URLSearchParams(
    form.fields.map(([name, value]): [string, string] => [name, value]),
  )
  return new Request(new URL(form.action), { method: 'POST', body })
}

const modes = {
  query: {},
  form_post: { response_mode: 'form_post' },
  JARM: {},
} as const
type Mode = keyof typeof modes

type Flow = {
  readonly authentication: Authentication
  readonly send: Send
  readonly isBound: boolean
  readonly mode: Mode
}

const settingsFor = ({ isBound }: Flow): Partial<ClientSettings> => ({
  jwks,
  consent: 'remember',
  dpopBoundAccessTokens: isBound,
})

const configure = async (flow: Flow) => {
  const { authentication, mode } = flow
  const app = await registerApp(provider, {
    authenticationMethod: authentication.method,
    settings: settingsFor(flow),
  })
  const configuration = await discover(provider, app.id, authentication.by(app.secret))
  if (mode === 'JARM') openid.useJwtResponseMode(configuration)
  return { app, configuration }
}

const takeCode = async (flow: Flow) => {
  const { app, configuration } = await configure(flow)
  const DPoP = flow.isBound
    ? openid.getDPoPHandle(configuration, await openid.randomDPoPKeyPair('ES256'))
    : undefined
  const options = DPoP === undefined ? {} : { DPoP }
  const { checks, asked } = await beginSignIn(modes[flow.mode])
  const url = await flow.send(configuration, asked, options)
  const agent = createBrowser(provider)
  const page = await passPages(agent, await agent.open(url), person)
  const answer = answerOf(page)
  const tokens = await openid.authorizationCodeGrant(configuration, answer, checks, {}, options)
  return { app, configuration, options, tokens, checks }
}

const publicKeys = async () => {
  const answer = await provider.app.inject('/.well-known/jwks.json')
  return createLocalJWKSet(answer.json())
}

const playThrough = async (t: Test, flow: Flow): Promise<void> => {
  const { app, configuration, options, tokens, checks } = await takeCode(flow)
  const tokenType = flow.isBound ? 'dpop' : 'bearer'
  t.match(tokens, { token_type: tokenType, scope: 'openid profile email' })
  const { issuer } = provider
  const idToken = await jwtVerify(tokens.id_token ?? '', await publicKeys(), {
    issuer,
    audience: app.id,
    subject: person.user.id,
  })
  t.equal(idToken.payload.nonce, checks.expectedNonce)
  const accessToken = await jwtVerify(tokens.access_token, await publicKeys(), {
    issuer,
    typ: 'at+jwt',
    subject: person.user.id,
    requiredClaims: ['jti', 'iat', 'exp', 'aud'],
  })
  t.equal(accessToken.payload.client_id, app.id)
  t.equal(accessToken.payload.cnf !== undefined, flow.isBound)
  t.equal(decodeProtectedHeader(tokens.id_token ?? '').typ, 'JWT')

  const subject = person.user.id
  const told = await openid.fetchUserInfo(configuration, tokens.access_token, subject, options)
  t.match(told, { sub: subject, email: person.email })

  const renewed = await openid.refreshTokenGrant(
    configuration,
    tokens.refresh_token ?? '',
    {},
    options,
  )
  t.match(renewed, { token_type: tokenType, refresh_token: /^trt_/ })
  t.not(renewed.refresh_token, tokens.refresh_token)
  t.equal(renewed.claims()?.sub, subject)

  await openid.tokenRevocation(configuration, renewed.refresh_token ?? '')
  await t.rejects(
    openid.refreshTokenGrant(configuration, renewed.refresh_token ?? '', {}, options),
    { error: 'invalid_grant', code: 'OAUTH_RESPONSE_BODY_ERROR' },
  )
  await t.rejects(
    openid.fetchUserInfo(configuration, renewed.access_token, subject, options),
    'a revoked family takes its access tokens along',
  )
}

const modeNames = Object.keys(modes) as Mode[]

authentications.forEach((authentication, row) => {
  Object.entries(ways).forEach(([way, send], column) => {
    const isBound = (row + column) % 2 === 1
    const mode = modeNames[(row + column) % modeNames.length] ?? 'query'
    const kind = isBound ? 'bound' : 'bearer'
    t.test(`${authentication.method}, request ${way}, answer by ${mode}, ${kind} tokens`, (t) =>
      playThrough(t, { authentication, send, isBound, mode }),
    )
  })
})
