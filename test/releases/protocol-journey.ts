import { decodeJwt } from 'jose'
import { assertionIssuer, startAsserting } from '../endpoints/oauth/assertions.ts'
import {
  createApp,
  createBrowser,
  goodRequest,
  openBrowser,
  redeem,
  sentTo,
  takeCode,
  toQuery,
} from '../endpoints/oauth/authorization.ts'
import { beginDevice, createDeviceClient, pollDevice } from '../endpoints/oauth/device.ts'
import { registerApp } from '../endpoints/oauth/registrations.ts'
import { byOperator, postForm } from '../endpoints/oauth/requests.ts'
import type { TestService } from '../support/service.ts'

type Service = Pick<TestService, 'app' | 'deps'>

const expect = (is: boolean, what: string): void => {
  if (!is) throw new Error(`the journey broke off: ${what}`)
}

const paymentSchema = { type: 'object', properties: { amount: { type: 'string' } } }
const notice = 'http://127.0.0.1:9/logout'

/** Codes: taken, redeemed, used again; pushed requests; requests that wait and are denied. */
const useCodes = async (service: Service): Promise<void> => {
  const { app, deps } = service
  const client = await createApp(service, {
    settings: { subjectType: 'pairwise', backchannelLogoutUri: notice },
  })
  const { browser, userId, sessionId } = await openBrowser(service)
  const asked = { scope: 'openid offline_access', prompt: 'consent' }
  await deps.accounts.ownConsents.grant(
    { userId, clientId: client.id, scope: ['openid'], audience: [], authorizationDetails: [] },
    {},
  )
  const code = await takeCode(browser, client, {
    scope: 'openid',
    nonce: 'n',
    claims: '{"userinfo":{"email":null}}',
  })
  const redeemed = await redeem(app, client, code)
  expect(redeemed.statusCode === 200, `the code: ${redeemed.body}`)
  const tokens = redeemed.json<{ access_token: string; refresh_token: string; id_token: string }>()
  const headers = { authorization: `Bearer ${tokens.access_token}` }
  await app.inject({ url: '/userinfo', headers })
  const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }
  await postForm(app, '/token', { ...refresh, ...client.credentials }, client.headers)
  const foreign = createBrowser(app)
  const waiting = await foreign.get(
    `/authorize?${toQuery({ client_id: client.id, ...goodRequest, ...asked })}`,
  )
  const { request = '' } = sentTo(waiting).parameters
  const secret = foreign.cookies.tessera_browser ?? ''
  expect((await deps.interactions.find(request, secret)) !== undefined, 'the waiting request')
  await deps.interactions.choose(request, secret, sessionId)
  await foreign.get(`/authorize/resume?request=${request}`)
  await deps.interactions.deny(request, secret)
  const pushed = await postForm(
    app,
    '/par',
    { ...goodRequest, scope: 'openid', ...client.credentials },
    client.headers,
  )
  const { request_uri: requestUri } = pushed.json<{ request_uri: string }>()
  const answer = await browser.get(
    `/authorize?${toQuery({ client_id: client.id, request_uri: requestUri })}`,
  )
  expect(sentTo(answer).parameters.code !== undefined, 'the pushed request')
  await redeem(app, client, code)
  await browser.get('/account')
  await deps.accounts.ownConsents.list(userId)
  await browser.get(`/logout?${toQuery({ id_token_hint: tokens.id_token })}`)
  expect(decodeJwt(tokens.id_token).sub !== userId, 'the pairwise subject')
}

/** Devices: asked too early, allowed, denied. */
const useDevices = async (service: Service): Promise<void> => {
  const { deps } = service
  const client = await createDeviceClient(service, ['refresh_token'])
  const { userId, sessionId } = await openBrowser(service)
  const act = { ...byOperator, actor: userId }
  const idOf = async (userCode: string) => (await deps.deviceRequests.find(userCode))?.id ?? ''
  const first = await beginDevice(service, client)
  await pollDevice(service, client, first.device_code)
  await pollDevice(service, client, first.device_code)
  await deps.deviceCodes.approve(await idOf(first.user_code), { userId, sessionId }, act)
  const redeemed = await pollDevice(service, client, first.device_code)
  expect(redeemed.statusCode === 200, `the device: ${redeemed.body}`)
  await pollDevice(service, client, first.device_code)
  const second = await beginDevice(service, client)
  await deps.deviceCodes.deny(await idOf(second.user_code), act)
  await pollDevice(service, client, second.device_code)
}

/** What operators and clients set up: registrations, issuers, types. */
const setUp = async (service: Service): Promise<void> => {
  const { deps } = service
  const { assertionIssuerAdministration: issuers, detailsTypeAdministration: types } = deps
  const registered = await registerApp(service)
  await registered.manage('GET')
  await registered.manage('PUT', {
    client_id: registered.id,
    client_name: 'Renamed',
    redirect_uris: ['https://app.example/cb'],
  })
  await registered.manage('DELETE')
  const [token] = await deps.registrationTokenAdministration.list()
  if (token !== undefined) await deps.registrationTokenAdministration.revoke(token.id, byOperator)
  const type = { type: 'payment', description: 'Pay', schema: paymentSchema }
  await types.set(type, byOperator)
  await types.list()
  await types.remove(type.type, byOperator)
  const { assert, present } = await startAsserting(service)
  const presented = await present(await assert())
  expect(presented.statusCode === 200, `the assertion: ${presented.body}`)
  await issuers.list()
  await issuers.remove(assertionIssuer, byOperator)
}

/** Does, once, what the protocols make the service say to its database. */
export const useProtocols = async (service: Service): Promise<void> => {
  await useCodes(service)
  await useDevices(service)
  await setUp(service)
}
