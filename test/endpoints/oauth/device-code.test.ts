import { decodeJwt } from 'jose'
import t from 'tap'
import { connect, startService } from '../../support/service.ts'
import { approve, beginDevice, createDeviceClient, deviceGrantType, pollDevice } from './device.ts'
import {
  byOperator,
  createMachine,
  type Form,
  oauthError,
  outcomeOf,
  postForm,
} from './requests.ts'

const service = await startService(t)
const { app, deps } = service
const db = await connect(t, service)
const client = await createDeviceClient(service, ['refresh_token'])
const other = await createDeviceClient(service)

const pending = oauthError(400, 'authorization_pending', 'The person has not decided yet')
const slowDown = oauthError(
  400,
  'slow_down',
  'Wait five seconds longer between two requests from now on',
)
const unknown = oauthError(400, 'invalid_grant', 'The device_code is not valid', {
  code: 'unknown',
})
const reused = oauthError(400, 'invalid_grant', 'The device_code was used before', {
  code: 'reused',
})

t.test('a device is told what to show and how often to ask (RFC 8628 §3.2)', async (t) => {
  const answer = await postForm(app, '/device_authorization', { client_id: client.id })
  const { device_code, user_code, ...rest } = answer.json()
  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['cache-control'], 'no-store')
  t.match(device_code, /^[\w-]{43}$/)
  t.match(user_code, /^[A-Z]{4}-[A-Z]{4}$/)
  t.strictSame(rest, {
    verification_uri: 'http://localhost:4000/device',
    verification_uri_complete: `http://localhost:4000/device?user_code=${user_code}`,
    ...{ expires_in: 600, interval: 5 },
  })
  const rows = await db.selectFrom('device_codes').selectAll().execute()
  t.notMatch(JSON.stringify(rows), device_code, 'only digests are kept')
  t.notMatch(JSON.stringify(rows), user_code)
})

t.test('it waits, gets its tokens when the person has agreed, and gets them once', async (t) => {
  const { device_code, user_code } = await beginDevice(service, client)
  t.strictSame(outcomeOf(await pollDevice(service, client, device_code)), pending)
  const person = await approve(service, db, user_code)

  const answer = await pollDevice(service, client, device_code)
  const { access_token, refresh_token, ...rest } = answer.json()
  t.equal(answer.statusCode, 200)
  t.strictSame(rest, { token_type: 'Bearer', expires_in: 900, scope: 'read write' })
  const { iat, exp, jti, fam, auth_time, ...claims } = decodeJwt(access_token)
  t.strictSame(claims, {
    ...{ iss: 'http://localhost:4000', sub: person.user.id, aud: 'http://localhost:4000' },
    ...{ client_id: client.id, scope: 'read write', sid: person.sessionId, amr: ['pwd'] },
    acr: 'urn:tessera:pwd',
    ...{ roles: ['user'], permissions: [] },
  })
  t.match(refresh_token, /^trt_/)
  t.strictSame(outcomeOf(await pollDevice(service, client, device_code)), reused)
  t.equal(
    (
      await postForm(app, '/token', {
        ...{ grant_type: 'refresh_token', client_id: client.id, refresh_token },
      })
    ).statusCode,
    200,
    'and what it gave goes on',
  )
})

t.test('a client without refresh tokens gets none', async (t) => {
  const { device_code, user_code } = await beginDevice(service, other, { scope: 'read' })
  await approve(service, db, user_code)
  const { access_token, ...rest } = (await pollDevice(service, other, device_code)).json()
  t.strictSame(rest, { token_type: 'Bearer', expires_in: 900, scope: 'read' })
  t.type(decodeJwt(access_token).fam, 'string', 'but its tokens can be taken back')
})

t.test('who asks too early waits five seconds longer, for good (RFC 8628 §3.5)', async (t) => {
  const { device_code } = await beginDevice(service, client)
  const poll = async () => outcomeOf(await pollDevice(service, client, device_code)).body.error
  const outcomes: string[] = []
  for (const seconds of [0, 5, 2, 5, 10, 14, 15, 21]) {
    service.moveTime(seconds)
    outcomes.push(await poll())
  }
  t.strictSame(outcomes, [
    ...['authorization_pending', 'authorization_pending', 'slow_down', 'slow_down'],
    ...['slow_down', 'slow_down', 'slow_down', 'slow_down'],
  ])
  t.strictSame(outcomeOf(await pollDevice(service, client, device_code)), slowDown)
  service.moveTime(50)
  t.equal(await poll(), 'authorization_pending')
})

t.test('another client’s code does not exist, and another client does not slow it', async (t) => {
  const { device_code } = await beginDevice(service, client)
  for (let attempt = 0; attempt < 3; attempt += 1) {
    t.strictSame(outcomeOf(await pollDevice(service, other, device_code)), unknown)
  }
  t.strictSame(outcomeOf(await pollDevice(service, client, device_code)), pending)
})

t.test('what the person refused is refused', async (t) => {
  const { device_code, user_code } = await beginDevice(service, client)
  const waiting = await deps.deviceRequests.find(user_code)
  t.equal(await deps.deviceCodes.deny(waiting?.id ?? '', byOperator), true)
  t.equal(await deps.deviceCodes.deny(waiting?.id ?? '', byOperator), false, 'once')
  t.strictSame(
    outcomeOf(await pollDevice(service, client, device_code)),
    oauthError(400, 'access_denied', 'The person has refused'),
  )
  t.equal(await deps.deviceRequests.find(user_code), undefined)
})

t.test('a code ends after ten minutes, for the device and for the person', async (t) => {
  const { device_code, user_code } = await beginDevice(service, client)
  service.moveTime(599)
  t.ok(await deps.deviceRequests.find(user_code))
  t.strictSame(outcomeOf(await pollDevice(service, client, device_code)), pending)
  service.moveTime(1)
  t.equal(await deps.deviceRequests.find(user_code), undefined)
  t.strictSame(
    outcomeOf(await pollDevice(service, client, device_code)),
    oauthError(400, 'expired_token', 'The device_code has expired'),
  )
})

t.test('who signed out before the device came gives it nothing', async (t) => {
  const { device_code, user_code } = await beginDevice(service, client)
  const { access_token } = await approve(service, db, user_code)
  const headers = { authorization: `Bearer ${access_token}` }
  await app.inject({ method: 'POST', url: '/auth/logout-all', headers })
  const ended = 'The person has signed out, or may not sign in any more'
  t.strictSame(
    outcomeOf(await pollDevice(service, client, device_code)),
    oauthError(400, 'invalid_grant', ended, { code: 'login_ended' }),
  )
})

t.test('too much asked for at the token endpoint does not use up the code', async (t) => {
  const { device_code, user_code } = await beginDevice(service, client)
  await approve(service, db, user_code)
  const wide = await pollDevice(service, client, device_code, { resource: 'https://x.example' })
  t.match(outcomeOf(wide), { status: 400, body: { error: 'invalid_target' } })
  t.equal((await pollDevice(service, client, device_code)).statusCode, 200)
})

const machine = await createMachine(deps, { grantTypes: ['client_credentials'] })
const invalid = (error: string, description: string) => oauthError(400, error, description)
const asking = { client_id: client.id }

const refused: Record<string, readonly [form: Form, expected: object, headers?: object]> = {
  'without a client': [{}, oauthError(401, 'invalid_client', 'Client authentication failed')],
  'of an unknown client': [
    { client_id: 'nobody' },
    oauthError(401, 'invalid_client', 'Client authentication failed'),
  ],
  'of a client that is not for devices': [
    {},
    invalid('unauthorized_client', 'The client is not registered for devices'),
    machine.headers,
  ],
  'with too wide a scope': [
    { ...asking, scope: 'read fly' },
    invalid('invalid_scope', 'The scope is beyond what the client may be granted'),
  ],
  'with a malformed scope': [
    { ...asking, scope: '"' },
    invalid('invalid_scope', 'The scope is malformed'),
  ],
  'with a repeated scope': [
    { ...asking, scope: ['read', 'write'] },
    invalid('invalid_request', 'scope must not be repeated'),
  ],
  'for a foreign resource': [
    { ...asking, resource: 'https://x.example' },
    invalid('invalid_target', 'The client may not ask for this resource'),
  ],
  'with details that are none': [
    { ...asking, authorization_details: '{' },
    invalid(
      'invalid_authorization_details',
      'authorization_details: It must be a JSON array of 1 to 20 objects',
    ),
  ],
  'with bytes that are no text': [
    'client_id=%ff',
    invalid('invalid_request', 'The form is not valid UTF-8 text'),
  ],
  'that is not a form': [
    '{}',
    { ...invalid('invalid_request', 'The content type is not supported'), status: 415 },
    { 'content-type': 'application/json' },
  ],
}

for (const [name, [form, expected, headers]] of Object.entries(refused)) {
  t.test(`a request for a device ${name} is refused`, async (t) => {
    const answer = await postForm(app, '/device_authorization', form, { ...headers })
    t.strictSame(outcomeOf(answer), expected)
  })
}

const refusedPolls: Record<string, readonly [code: string, expected: object]> = {
  'without a code': ['', invalid('invalid_request', 'device_code is required')],
  'with an unknown code': ['x', unknown],
  'with a code of surprising text': ['é€😀', unknown],
  'with a very long code': ['x'.repeat(20_000), unknown],
}

for (const [name, [code, expected]] of Object.entries(refusedPolls)) {
  t.test(`a request for the tokens ${name} is refused`, async (t) => {
    t.strictSame(outcomeOf(await pollDevice(service, client, code)), expected)
  })
}

t.test('what is not offered is not told: the metadata name endpoint and grant', async (t) => {
  const { body } = await app.inject('/.well-known/oauth-authorization-server')
  const metadata = JSON.parse(body)
  t.equal(metadata.device_authorization_endpoint, 'http://localhost:4000/device_authorization')
  t.ok(metadata.grant_types_supported.includes(deviceGrantType))
})
