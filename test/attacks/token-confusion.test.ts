import { randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import t from 'tap'
import {
  type App,
  authorize,
  authorizeUrl,
  createPkce,
  createVisitor,
  postAs,
  redeem,
  requestOf,
  takeCode,
} from '../support/code-flow.ts'
import { createBrowser, registerApp, startProvider } from '../support/relying-party.ts'

// Much of what goes around here is a JWT that we or a client signed, or a random text that we know.
// Each kind is good for what it was made for and nowhere else (RFC 8725 §3.11, ASVS 9.2.2).
const provider = await startProvider(t)
const { issuer } = provider
const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
const jwk = await exportJWK(publicKey)
const kid = await calculateJwkThumbprint(jwk)
const jwks = { keys: [{ ...jwk, kid, alg: 'ES256' }] }
const app = await registerApp(provider, { settings: { jwks } })
const keyed = await registerApp(provider, {
  authenticationMethod: 'private_key_jwt',
  grantTypes: ['client_credentials', 'authorization_code'],
  settings: { jwks },
})
const visitor = await createVisitor(provider)
const pkce = await createPkce()

const sign = (typ: string | undefined, claims: Readonly<Record<string, unknown>>) =>
  new SignJWT({ jti: randomUUID(), ...claims })
    .setProtectedHeader({ alg: 'ES256', kid, ...(typ === undefined ? {} : { typ }) })
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(privateKey)

const makeTokens = async () => {
  const code = await takeCode(provider, visitor, app, pkce, { nonce: 'n' })
  const { status, body } = await redeem(provider, app, code, pkce)
  if (status !== 200) throw new Error(`no tokens: ${JSON.stringify(body)}`)
  return body
}

const makeSignedAnswer = async (): Promise<string> => {
  const request = requestOf(app, pkce, { response_mode: 'jwt' })
  const page = await authorize(provider, visitor, request)
  return page.url.searchParams.get('response') ?? ''
}

const makePushed = async (): Promise<string> => {
  const { body } = await postAs(provider, '/par', app, requestOf(app, pkce))
  return body.request_uri ?? ''
}

const assertion = () => sign(undefined, { iss: keyed.id, sub: keyed.id, aud: issuer })
const requestObject = () =>
  sign('oauth-authz-req+jwt', {
    ...requestOf(app, pkce, { prompt: 'none', max_age: '0' }),
    ...{ iss: app.id, aud: issuer },
  })
const proof = async () =>
  new SignJWT({ htm: 'POST', htu: `${issuer}/token`, jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
    .setIssuedAt()
    .sign(privateKey)

/** A new one of each kind. */
const kinds = {
  'access token': async () => (await makeTokens()).access_token,
  'refresh token': async () => (await makeTokens()).refresh_token,
  'ID token': async () => (await makeTokens()).id_token,
  code: () => takeCode(provider, visitor, app, pkce),
  'signed answer (JARM)': makeSignedAnswer,
  'client assertion': assertion,
  'request object': requestObject,
  'DPoP proof': proof,
  'pushed request': makePushed,
  'client secret': async () => app.secret,
} as const
type Kind = keyof typeof kinds

const bearer = async (path: string, token: string): Promise<boolean> => {
  const answer = await fetch(`${issuer}${path}`, { headers: { authorization: `Bearer ${token}` } })
  if (![200, 400, 401, 403].includes(answer.status)) throw new Error(`${path}: ${answer.status}`)
  return answer.ok
}

const granted = async (who: App, form: Readonly<Record<string, string>>): Promise<boolean> => {
  const { status } = await postAs(provider, '/token', who, form)
  if (![200, 400, 401].includes(status)) throw new Error(`/token: ${status}`)
  return status === 200
}

const answeredWith = async (parameters: Readonly<Record<string, string>>) => {
  const answer = await createBrowser(provider).ask(authorizeUrl(provider, parameters))
  const location = answer.headers.get('location')
  return location === null ? undefined : new URL(location, issuer).searchParams.get('error')
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

type Place = {
  readonly for: Kind | undefined
  readonly accepts: (text: string) => Promise<boolean>
}

const places: Readonly<Record<string, Place>> = {
  'bearer token of userinfo': {
    for: 'access token',
    accepts: (token) => bearer('/userinfo', token),
  },
  'bearer token of the own account': {
    for: undefined,
    accepts: (token) => bearer('/auth/me', token),
  },
  'refresh token of a grant': {
    for: 'refresh token',
    accepts: (token) => granted(app, { grant_type: 'refresh_token', refresh_token: token }),
  },
  'code of a grant': {
    for: 'code',
    accepts: async (code) => (await redeem(provider, app, code, pkce)).status === 200,
  },
  'client assertion': {
    for: 'client assertion',
    accepts: async (token) => {
      const answer = await fetch(`${issuer}/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: keyed.id,
          client_assertion_type: assertionType,
          client_assertion: token,
        }),
      })
      return answer.ok
    },
  },
  'hint of an authorization request': {
    for: 'ID token',
    accepts: async (token) => {
      const request = requestOf(app, pkce, { prompt: 'none', id_token_hint: token })
      return (await answeredWith(request)) === 'login_required'
    },
  },
  'request object': {
    for: 'request object',
    accepts: async (token) =>
      (await answeredWith({ client_id: app.id, request: token })) === 'login_required',
  },
  'pushed request': {
    for: 'pushed request',
    accepts: async (token) => {
      const error = await answeredWith({ client_id: app.id, request_uri: token })
      return error === null
    },
  },
  'secret of a client': {
    for: 'client secret',
    accepts: async (secret) => {
      const { status } = await postAs(provider, '/introspect', { ...app, secret }, { token: 'x' })
      return status === 200
    },
  },
}

for (const [name, place] of Object.entries(places)) {
  for (const [kind, make] of Object.entries(kinds)) {
    const isRight = place.for === kind
    t.test(`as ${name}: ${kind} is ${isRight ? 'accepted' : 'refused'}`, async (t) => {
      t.equal(await place.accepts((await make()) ?? ''), isRight)
    })
  }
}

const introspected: readonly string[] = ['access token', 'refresh token']

for (const [kind, make] of Object.entries(kinds)) {
  const isActive = introspected.includes(kind)
  t.test(`introspection of: ${kind} says ${isActive ? 'active' : 'nothing'}`, async (t) => {
    const token = (await make()) ?? ''
    for (const hint of ['access_token', 'refresh_token', 'id_token']) {
      const { status, body } = await postAs(provider, '/introspect', app, {
        token,
        token_type_hint: hint,
      })
      t.equal(status, 200)
      if (isActive) t.match(body, { active: true, client_id: app.id })
      else t.strictSame(body, { active: false }, hint)
    }
  })
}
