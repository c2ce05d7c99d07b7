import { decodeJwt } from 'jose'
import { test } from 'tap'
import { register } from '../../support/service.ts'
import { callback, nameOf, startPages } from '../pages/visitor.ts'
import { postForm } from './requests.ts'

const acr = 'urn:tessera:pwd'
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'

test('step-up: how and when somebody must have signed in (RFC 9470)', async (t) => {
  const pages = await startPages(t)
  const { app, issuer, createApp, openBrowser, authorizeUrl } = pages
  const client = await createApp({ authenticationMethod: 'none' })
  const { email, password } = await register(app)
  const browser = openBrowser()
  const form = await browser.open(authorizeUrl(client.id, { acr_values: `phr ${acr}` }))
  const consent = await browser.submit(form, { username: email, password })
  const answer = await browser.submit(consent, {}, 'allow')

  await t.test('the access token and the ID token say so', async (t) => {
    const { access_token, id_token } = (
      await postForm(app, '/token', {
        ...{ grant_type: 'authorization_code', client_id: client.id, redirect_uri: callback },
        ...{ code: answer.url.searchParams.get('code') ?? '', code_verifier: verifier },
      })
    ).json()
    for (const token of [access_token, id_token]) {
      const claims = decodeJwt(token)
      t.equal(claims.acr, acr)
      t.type(claims.auth_time, 'number')
    }
  })

  await t.test('what nobody can give is refused, to the client', async (t) => {
    const { url } = await browser.open(authorizeUrl(client.id, { acr_values: 'phr' }))
    t.strictSame(Object.fromEntries(url.searchParams), {
      error: 'unmet_authentication_requirements',
      error_description: 'Nobody can sign in here as the request demands',
      state: 'xyz',
      iss: issuer,
    })
  })

  await t.test('a sign-in that is too old is repeated (max_age)', async (t) => {
    const again = await browser.open(authorizeUrl(client.id, { acr_values: acr, max_age: '0' }))
    t.equal(nameOf(again), 'sign-in')
  })

  await t.test('the metadata name what can be asked for', async (t) => {
    const metadata = (await app.inject('/.well-known/openid-configuration')).json()
    t.strictSame(metadata.acr_values_supported, [acr])
  })
})
