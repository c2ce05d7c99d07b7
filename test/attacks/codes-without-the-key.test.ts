import t, { type Test } from 'tap'
import {
  type App,
  createApp,
  goodRequest,
  openBrowser,
  redirectUri,
  sentTo,
  takeCode,
  toQuery,
  verifier,
} from '../endpoints/oauth/authorization.ts'
import { oauthError, outcomeOf, postForm } from '../endpoints/oauth/requests.ts'
import { askWithKey, proveTo, takeNonce } from '../support/bound-tokens.ts'
import { createProofKey, type ProofKey } from '../support/dpop.ts'
import { startService } from '../support/service.ts'

// Whoever steals a code and all that goes with it, but for the key that it is bound to (RFC 9449 §10).
const service = await startService(t)
const { app: node } = service
const [own, foreign] = [createProofKey(), createProofKey()]

/** How a client without a secret says who it is. */
const named = ({ id, secret }: App): Record<string, string> =>
  secret === '' ? { client_id: id } : {}

const redeem = (app: App, code: string, key: ProofKey | undefined) =>
  askWithKey(
    service,
    {
      grant_type: 'authorization_code',
      ...{ code, redirect_uri: redirectUri, code_verifier: verifier },
      ...named(app),
    },
    key,
    app.headers,
  )

const push = (app: App, asked: Record<string, string>, dpop?: string) =>
  postForm(
    node,
    '/par',
    { ...goodRequest, ...named(app), ...asked },
    { ...app.headers, ...(dpop === undefined ? {} : { dpop }) },
  )

const refuseWithoutKey = async (t: Test, app: App, code: string) => {
  for (const key of [foreign, undefined]) {
    const refused = await redeem(app, code, key)
    t.equal(refused.statusCode, 400)
    t.equal(refused.json().error, 'invalid_grant')
  }
  const answer = await redeem(app, code, own)
  t.equal(answer.statusCode, 200, 'the owner has not lost the code')
  t.match(answer.json(), { token_type: 'DPoP' })
}

for (const authenticationMethod of ['none', 'client_secret_basic']) {
  t.test(`a code that dpop_jkt binds: a client with ${authenticationMethod}`, async (t) => {
    const app = await createApp(service, { authenticationMethod })
    const { browser } = await openBrowser(service)
    await refuseWithoutKey(t, app, await takeCode(browser, app, { dpop_jkt: own.jkt }))
  })

  t.test(`a code of a request pushed with a proof: ${authenticationMethod}`, async (t) => {
    const app = await createApp(service, { authenticationMethod })
    const { browser } = await openBrowser(service)
    const proof = proveTo(service, own, { path: '/par', nonce: await takeNonce(service) })
    const pushed = await push(app, {}, proof)
    t.equal(pushed.statusCode, 201)
    const { request_uri: requestUri } = pushed.json()
    const query = toQuery({ client_id: app.id, request_uri: requestUri })
    const { code = '' } = sentTo(await browser.get(`/authorize?${query}`)).parameters
    await refuseWithoutKey(t, app, code)
  })
}

t.test('a pushed request: its proof and dpop_jkt name one key', async (t) => {
  const app = await createApp(service)
  const prove = async () => proveTo(service, own, { path: '/par', nonce: await takeNonce(service) })
  t.equal((await push(app, { dpop_jkt: own.jkt }, await prove())).statusCode, 201)
  t.strictSame(
    outcomeOf(await push(app, { dpop_jkt: foreign.jkt }, await prove())),
    oauthError(400, 'invalid_dpop_proof', 'dpop_jkt is not the key of the DPoP proof'),
  )
})

t.test(
  'a proof at the endpoint for pushed requests is checked as at the token endpoint',
  async (t) => {
    const app = await createApp(service)
    const nonce = await takeNonce(service)
    const refused = async (dpop: string, error: string) => {
      const answer = await push(app, {}, dpop)
      t.equal(answer.statusCode, 400)
      t.equal(answer.json().error, error)
    }
    await refused('x', 'invalid_dpop_proof')
    await refused(proveTo(service, own, { path: '/token', nonce }), 'invalid_dpop_proof')
    await refused(proveTo(service, own, { path: '/par' }), 'use_dpop_nonce')
    const proof = proveTo(service, own, { path: '/par', nonce })
    t.equal((await push(app, {}, proof)).statusCode, 201)
    await refused(proof, 'invalid_dpop_proof')
  },
)
