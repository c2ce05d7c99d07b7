/**
 * A service that calls another one in its own name: client credentials.
 *
 *   CLIENT_ID=reports CLIENT_SECRET=… node examples/service-caller.js
 */
import * as openid from 'openid-client'

const { CLIENT_ID, CLIENT_SECRET } = process.env
const issuer = new URL(process.env.ISSUER ?? 'http://localhost:4000')
const apiUrl = process.env.API_URL ?? 'http://localhost:5000'

// No OpenID Connect is needed here, where there is no person (RFC 8414).
const discoveryOptions = {
  algorithm: 'oauth2',
  // Plain http is for the own machine only.
  execute: issuer.protocol === 'http:' ? [openid.allowInsecureRequests] : [],
}
const tessera = await openid.discovery(
  issuer,
  CLIENT_ID,
  undefined,
  openid.ClientSecretBasic(CLIENT_SECRET),
  discoveryOptions,
)

let kept = { accessToken: '', until: 0 }

/** One token for many calls, renewed a minute before its end. */
const accessToken = async () => {
  if (Date.now() < kept.until) return kept.accessToken
  const tokens = await openid.clientCredentialsGrant(tessera, {
    scope: 'reports:read',
    resource: 'https://api.example',
  })
  kept = {
    accessToken: tokens.access_token,
    until: Date.now() + (tokens.expiresIn() - 60) * 1000,
  }
  return kept.accessToken
}

const answer = await fetch(`${apiUrl}/reports`, {
  headers: { authorization: `Bearer ${await accessToken()}` },
})
console.log(answer.status, await answer.text())
