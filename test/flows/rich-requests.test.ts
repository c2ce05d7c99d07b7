import { decodeJwt } from 'jose'
import t from 'tap'
import { byOperator, createMachine, postForm } from '../endpoints/oauth/requests.ts'
import { callback, nameOf, startPages } from '../endpoints/pages/visitor.ts'
import { register } from '../support/service.ts'

const pages = await startPages(t)
const { app, deps, createApp, openBrowser, authorizeUrl } = pages
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const payment = { type: 'payment', actions: ['initiate', 'status'], amount: '1.00' }
const text = JSON.stringify([payment])
await deps.detailsTypeAdministration.set(
  {
    ...{ type: 'payment', description: 'Make a payment' },
    schema: {
      type: 'object',
      properties: {
        actions: { type: 'array', items: { enum: ['initiate', 'status'] } },
        amount: { type: 'string' },
      },
      required: ['amount'],
    },
  },
  byOperator,
)
const allowed = { authorizationDetailsTypes: ['payment'] }

t.test('a machine gets what it asks for, in the answer, the token and introspection', async (t) => {
  const machine = await createMachine(deps, {
    grantTypes: ['client_credentials'],
    settings: allowed,
  })
  const form = { grant_type: 'client_credentials', authorization_details: text }
  const { access_token, authorization_details } = (
    await postForm(app, '/token', form, machine.headers)
  ).json()
  t.strictSame(authorization_details, [payment])
  t.strictSame(decodeJwt(access_token).authorization_details, [payment])
  const state = await postForm(app, '/introspect', { token: access_token }, machine.headers)
  t.strictSame(state.json().authorization_details, [payment])
})

t.test('a person is shown what is asked for; the client may take less, never more', async (t) => {
  const client = await createApp({ authenticationMethod: 'none', settings: allowed })
  const { email, password } = await register(app)
  const browser = openBrowser()
  const form = await browser.open(authorizeUrl(client.id, { authorization_details: text }))
  const consent = await browser.submit(form, { username: email, password })
  t.equal(nameOf(consent), 'consent')
  for (const shown of ['payment', 'initiate', '1.00']) t.match(consent.text, shown)
  const answer = await browser.submit(consent, {}, 'allow')
  const redeem = async (details: object) =>
    postForm(app, '/token', {
      ...{ grant_type: 'authorization_code', client_id: client.id, redirect_uri: callback },
      ...{ code: answer.url.searchParams.get('code') ?? '', code_verifier: verifier },
      authorization_details: JSON.stringify([details]),
    })
  const wider = await redeem({ ...payment, amount: '100.00' })
  t.match(wider.json(), { error: 'invalid_authorization_details' })
  const less = { ...payment, actions: ['status'] }
  const tokens = (await redeem(less)).json()
  t.strictSame(tokens.authorization_details, [less], 'and the code was not used up')

  const refresh = async (rest: object) =>
    (
      await postForm(app, '/token', {
        ...{ grant_type: 'refresh_token', client_id: client.id, ...rest },
        refresh_token: tokens.refresh_token,
      })
    ).json()
  const other = JSON.stringify([{ ...payment, amount: '2.00' }])
  t.match(await refresh({ authorization_details: other }), {
    error: 'invalid_authorization_details',
  })
  t.strictSame((await refresh({})).authorization_details, [payment], 'the family keeps them all')
})

t.test('where the client says so, a browser cannot change them (ASVS 5.0 10.4.15)', async (t) => {
  const settings = { ...allowed, requirePushedAuthorizationDetails: true }
  const client = await createApp({ authenticationMethod: 'none', settings })
  const { url } = await openBrowser().open(authorizeUrl(client.id, { authorization_details: text }))
  t.equal(url.searchParams.get('error'), 'invalid_request')
  t.equal(
    url.searchParams.get('error_description'),
    'authorization_details must be pushed or signed',
  )
  const query = new URL(authorizeUrl(client.id, { authorization_details: text })).searchParams
  const pushed = await postForm(app, '/par', Object.fromEntries(query))
  t.equal(pushed.statusCode, 201)
})

t.test('the metadata name the types', async (t) => {
  const metadata = (await app.inject('/.well-known/oauth-authorization-server')).json()
  t.strictSame(metadata.authorization_details_types_supported, ['payment'])
})
