/**
 * A desktop app or command-line program: it opens the person's own browser and waits for the answer
 * on the loopback address (RFC 8252), on whatever port is free.
 *
 *   CLIENT_ID=notes node examples/desktop-app.js
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import * as openid from 'openid-client'

const issuer = new URL(process.env.ISSUER ?? 'http://localhost:4000')

// Plain http is for the own machine only: leave the last argument out with an https issuer.
const tessera = await openid.discovery(
  issuer,
  process.env.CLIENT_ID,
  undefined,
  openid.None(),
  issuer.protocol === 'http:' ? { execute: [openid.allowInsecureRequests] } : {},
)

// The address is registered without a port: any will do (RFC 8252 §7.3).
const server = createServer().listen(0, '127.0.0.1')
await once(server, 'listening')
const redirectUri = `http://127.0.0.1:${server.address().port}/callback`

const pkceCodeVerifier = openid.randomPKCECodeVerifier()
const expectedState = openid.randomState()
const expectedNonce = openid.randomNonce()
const url = openid.buildAuthorizationUrl(tessera, {
  redirect_uri: redirectUri,
  scope: 'openid profile email',
  code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
  state: expectedState,
  nonce: expectedNonce,
})
console.log(`Open ${url.href}`)

/** Waits for the browser to come back; whatever else it asks for (an icon) is not there. */
const comeBack = async () => {
  for (;;) {
    const [request, response] = await once(server, 'request')
    const answer = new URL(request.url, redirectUri)
    if (answer.pathname === '/callback') {
      response.writeHead(200, { 'content-type': 'text/plain', connection: 'close' })
      response.end('You can close this window.')
      return answer
    }
    response.writeHead(404).end()
  }
}

const tokens = await openid.authorizationCodeGrant(tessera, await comeBack(), {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
})
server.close()
const { sub } = tokens.claims()
const person = await openid.fetchUserInfo(tessera, tokens.access_token, sub)
console.log(`Signed in as ${person.email}`)

// The refresh token is good once: keep the new one each time, in the system's keychain.
const renewed = await openid.refreshTokenGrant(tessera, tokens.refresh_token)
console.log(`Renewed, good for ${renewed.expiresIn()} seconds`)
