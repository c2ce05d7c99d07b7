/**
 * A web app that signs people in with Tessera: authorization code with PKCE, tokens kept on the
 * server. The browser holds a random session id only.
 *
 *   CLIENT_ID=shop CLIENT_SECRET=… node examples/server-side-web-app.js
 */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import * as openid from 'openid-client'

const { CLIENT_ID, CLIENT_SECRET } = process.env
const issuer = new URL(process.env.ISSUER ?? 'http://localhost:4000')
const appUrl = process.env.APP_URL ?? 'http://localhost:3000'
const redirectUri = `${appUrl}/callback`

// Plain http is for the own machine only: leave the last argument out with an https issuer.
const tessera = await openid.discovery(
  issuer,
  CLIENT_ID,
  undefined,
  openid.ClientSecretBasic(CLIENT_SECRET),
  issuer.protocol === 'http:' ? { execute: [openid.allowInsecureRequests] } : {},
)

/** What belongs to each browser, by its session id. A real app keeps this in its database. */
const sessions = new Map()

const sessionOf = (request) => {
  const id = /(?:^|; )session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]
  return { id, data: sessions.get(id) ?? {} }
}

/** A new id each time, so that nobody can plant one that they know (session fixation). */
const beginSession = (data, formerId) => {
  sessions.delete(formerId)
  const id = randomBytes(32).toString('base64url')
  sessions.set(id, data)
  return `session=${id}; Path=/; HttpOnly; SameSite=Lax${appUrl.startsWith('https:') ? '; Secure' : ''}`
}

/** Sends the browser to Tessera, and remembers what the answer must match. */
const signIn = async (request, response) => {
  const expected = {
    codeVerifier: openid.randomPKCECodeVerifier(),
    state: openid.randomState(),
    nonce: openid.randomNonce(),
  }
  const url = openid.buildAuthorizationUrl(tessera, {
    redirect_uri: redirectUri,
    scope: 'openid profile email',
    code_challenge: await openid.calculatePKCECodeChallenge(expected.codeVerifier),
    code_challenge_method: 'S256',
    state: expected.state,
    nonce: expected.nonce,
  })
  const cookie = beginSession({ expected }, sessionOf(request).id)
  response.writeHead(303, { location: url.href, 'set-cookie': cookie }).end()
}

/** Checks the answer (state, issuer, nonce, signature) and changes the code into tokens. */
const finishSignIn = async (request, response) => {
  const { id, data } = sessionOf(request)
  if (data.expected === undefined) return response.writeHead(303, { location: '/' }).end()
  const { codeVerifier, state, nonce } = data.expected
  // One attempt for each sign-in, whatever comes of it.
  sessions.delete(id)
  const tokens = await openid.authorizationCodeGrant(tessera, new URL(request.url, appUrl), {
    pkceCodeVerifier: codeVerifier,
    expectedState: state,
    expectedNonce: nonce,
  })
  const { sub } = tokens.claims()
  const person = await openid.fetchUserInfo(tessera, tokens.access_token, sub)
  const cookie = beginSession({ person, tokens }, id)
  response.writeHead(303, { location: '/', 'set-cookie': cookie }).end()
}

/** Ends the session here, then at Tessera, which sends the browser back. */
const signOut = async (request, response) => {
  const { id, data } = sessionOf(request)
  sessions.delete(id)
  const url = openid.buildEndSessionUrl(tessera, {
    post_logout_redirect_uri: `${appUrl}/`,
    ...(data.tokens === undefined ? {} : { id_token_hint: data.tokens.id_token }),
  })
  response.writeHead(303, { location: url.href }).end()
}

const escapeHtml = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

const home = async (request, response) => {
  const { person } = sessionOf(request).data
  const body =
    person === undefined
      ? '<a href="/sign-in">Sign in</a>'
      : `<p>You are ${escapeHtml(person.email ?? person.sub)}.</p>
         <form method="post" action="/sign-out"><button>Sign out</button></form>`
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
  })
  response.end(`<!doctype html><title>Shop</title>${body}`)
}

const routes = {
  'GET /': home,
  'GET /sign-in': signIn,
  'GET /callback': finishSignIn,
  'POST /sign-out': signOut,
}

const server = createServer((request, response) => {
  const route = routes[`${request.method} ${new URL(request.url, appUrl).pathname}`]
  if (route === undefined) return response.writeHead(404).end('Not found')
  route(request, response).catch((error) => {
    console.error(error.code ?? error.name, error.message)
    response.writeHead(400, { 'content-type': 'text/plain' }).end('The sign-in failed')
  })
})
server.listen(Number(new URL(appUrl).port), 'localhost', () => console.log(`Open ${appUrl}`))
