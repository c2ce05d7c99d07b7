/**
 * An app that runs in the browser alone: authorization code with PKCE, tokens in memory, bound by
 * DPoP to a key that cannot be read out.
 */
import * as oauth from '/oauth4webapi.js'
import { clientId, issuer } from '/settings.js'

const client = { client_id: clientId }
const redirectUri = `${location.origin}/`
// Plain http is for the own machine only.
const options = { [oauth.allowInsecureRequests]: issuer.startsWith('http:') }

const tessera = await oauth.processDiscoveryResponse(
  new URL(issuer),
  await oauth.discoveryRequest(new URL(issuer), options),
)
const key = await oauth.generateKeyPair('ES256', { extractable: false })
const DPoP = oauth.DPoP(client, key)

const show = (text, ...buttons) => {
  document.querySelector('#status').textContent = text
  for (const button of document.querySelectorAll('button')) {
    button.hidden = !buttons.includes(button.id)
  }
}

/** Goes to Tessera. What the answer must match waits here until the browser comes back. */
const signIn = async () => {
  const expected = {
    codeVerifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
  }
  sessionStorage.setItem('expected', JSON.stringify(expected))
  const url = new URL(tessera.authorization_endpoint)
  url.search = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'openid profile email',
    code_challenge: await oauth.calculatePKCECodeChallenge(expected.codeVerifier),
    code_challenge_method: 'S256',
    state: expected.state,
    nonce: expected.nonce,
  })
  location.assign(url)
}

/** Sends a request again that Tessera wants to see with a nonce of its own (RFC 9449 §8). */
const withNonce = async (ask, process) => {
  try {
    return await process(await ask())
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    return process(await ask())
  }
}

/** Checks the answer in the address bar and changes the code into tokens. */
const finishSignIn = async () => {
  const answer = new URL(location.href)
  const { codeVerifier, state, nonce } = JSON.parse(sessionStorage.getItem('expected') ?? '{}')
  sessionStorage.removeItem('expected')
  history.replaceState(null, '', '/')
  // Without what it must match, an answer is not one to a question of this page.
  if (state === undefined) return undefined
  const parameters = oauth.validateAuthResponse(tessera, client, answer, state)
  const ask = () =>
    oauth.authorizationCodeGrantRequest(
      tessera,
      client,
      oauth.None(),
      parameters,
      redirectUri,
      codeVerifier,
      { ...options, DPoP },
    )
  const checks = { expectedNonce: nonce, requireIdToken: true }
  return withNonce(ask, (response) =>
    oauth.processAuthorizationCodeResponse(tessera, client, response, checks),
  )
}

const renew = (refreshToken) => {
  const ask = () =>
    oauth.refreshTokenGrantRequest(tessera, client, oauth.None(), refreshToken, {
      ...options,
      DPoP,
    })
  return withNonce(ask, (response) => oauth.processRefreshTokenResponse(tessera, client, response))
}

const personOf = (tokens) => {
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)
  const ask = () =>
    oauth.userInfoRequest(tessera, client, tokens.access_token, { ...options, DPoP })
  return withNonce(ask, (response) => oauth.processUserInfoResponse(tessera, client, sub, response))
}

document.querySelector('#sign-in').addEventListener('click', signIn)

try {
  let tokens = /[?&](code|error)=/.test(location.search) ? await finishSignIn() : undefined
  if (tokens === undefined) {
    show('You are not signed in.', 'sign-in')
  } else {
    const { email } = await personOf(tokens)
    show(`You are ${email}.`, 'renew')
    document.querySelector('#renew').addEventListener('click', async () => {
      // Each refresh token is good once; the next one comes with the answer.
      tokens = await renew(tokens.refresh_token)
      show(`You are ${email}, renewed.`, 'renew')
    })
  }
} catch (error) {
  console.warn(error.code ?? error.name, error.message)
  show('The sign-in failed.', 'sign-in')
}
