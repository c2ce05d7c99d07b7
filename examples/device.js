/**
 * A program on a device without a keyboard or a browser (RFC 8628): it shows a code, and the person
 * types it on a telephone or a computer.
 *
 *   CLIENT_ID=television node examples/device.js
 */
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

const device = await openid.initiateDeviceAuthorization(tessera, { scope: 'openid profile email' })
console.log(`Go to ${device.verification_uri} and type ${device.user_code}`)

// Asks as often as it may, until the person has decided or the code has expired.
const tokens = await openid.pollDeviceAuthorizationGrant(tessera, device)
const { sub } = tokens.claims()
const person = await openid.fetchUserInfo(tessera, tokens.access_token, sub)
console.log(`Signed in as ${person.email}`)
