import { decodeJwt } from 'jose'
import t from 'tap'
import { connect, register, startService } from '../../support/service.ts'
import {
  basic,
  basicChallenge,
  byOperator,
  createMachine,
  type Form,
  oauthError,
  outcomeOf,
  postForm,
  unauthenticated,
} from './requests.ts'

const issuer = 'http://localhost:4000'
const service = await startService(t)
const { app, deps } = service
const db = await connect(t, service)

type Machine = Awaited<ReturnType<typeof createMachine>>
const introspect = (form: Form, headers: Readonly<Record<string, string>> = {}) =>
  postForm(app, '/introspect', form, headers)
const tokenOf = async ({ headers }: Machine, form: object = {}): Promise<string> =>
  (await postForm(app, '/token', { grant_type: 'client_credentials', ...form }, headers)).json()
    .access_token
const answered = (body: unknown) => ({
  status: 200,
  type: 'application/json; charset=utf-8',
  cache: 'no-store',
  body,
})
const inactive = answered({ active: false })
const outcome = async (token: string, { headers }: Machine) =>
  outcomeOf(await introspect({ token }, headers))

const machine = await createMachine(deps, {
  scope: ['read', 'write'],
  audience: ['https://a.example', 'https://b.example'],
})
const serverA = await createMachine(deps, { resourceServer: ['https://a.example'] })
const serverC = await createMachine(deps, { resourceServer: ['https://c.example'] })
const ourselves = await createMachine(deps, { resourceServer: [issuer] })

t.test('a machine’s token is known to its client and to those whom it is meant for', async (t) => {
  const token = await tokenOf(machine)
  const { exp, iat, jti } = decodeJwt(token)
  const known = answered({
    active: true,
    scope: 'read write',
    client_id: machine.id,
    token_type: 'Bearer',
    sub: machine.id,
    aud: ['https://a.example', 'https://b.example'],
    iss: issuer,
    exp,
    iat,
    jti,
  })

  t.strictSame(await outcome(token, machine), known)
  t.strictSame(await outcome(token, serverA), known)
  t.strictSame(await outcome(token, serverC), inactive)
  const onlyB = await tokenOf(machine, { resource: 'https://b.example' })
  t.strictSame(await outcome(onlyB, serverA), inactive)
})

t.test('a person’s token tells who it is and how they signed in, not its family', async (t) => {
  const person = await register(app)
  const { exp, iat, jti, sid, auth_time } = decodeJwt(person.access_token)
  t.strictSame(
    await outcome(person.access_token, ourselves),
    answered({
      active: true,
      scope: 'account',
      client_id: 'first-party',
      token_type: 'Bearer',
      sub: person.user.id,
      aud: issuer,
      iss: issuer,
      exp,
      iat,
      jti,
      sid,
      roles: ['user'],
      permissions: [],
      auth_time,
      amr: ['pwd'],
    }),
  )
  t.strictSame(await outcome(person.access_token, machine), inactive)
})

t.test('a refresh token is known to its client alone, while it is the current one', async (t) => {
  const owner = await createMachine(deps, {
    grantTypes: ['refresh_token'],
    scope: ['account'],
    resourceServer: [],
  })
  const person = await register(app)
  await db
    .updateTable('refresh_families')
    .set({ client_id: owner.id })
    .where('user_id', '=', person.user.id)
    .execute()
  const first = person.refresh_token
  const { sid, auth_time } = decodeJwt(person.access_token)
  const { expires_at: expiresAt } = await db
    .selectFrom('refresh_families')
    .select('expires_at')
    .where('user_id', '=', person.user.id)
    .executeTakeFirstOrThrow()
  const known = answered({
    active: true,
    scope: 'account',
    client_id: owner.id,
    sub: person.user.id,
    aud: [issuer],
    iss: issuer,
    exp: Math.floor(expiresAt.getTime() / 1000),
    sid,
    auth_time,
    amr: ['pwd'],
  })
  t.strictSame(await outcome(first, owner), known)
  t.strictSame(await outcome(first, ourselves), inactive)

  const form = { grant_type: 'refresh_token', refresh_token: first }
  const second = (await postForm(app, '/token', form, owner.headers)).json().refresh_token
  t.strictSame(await outcome(first, owner), inactive)
  t.strictSame(await outcome(second, owner), known)
  // Asking is not using: the family is still there.
  const next = { grant_type: 'refresh_token', refresh_token: second }
  const third = (await postForm(app, '/token', next, owner.headers)).json().refresh_token
  t.strictSame(await outcome(third, owner), known)

  await postForm(app, '/revoke', { token: third }, owner.headers)
  t.strictSame(await outcome(third, owner), inactive)
})

t.test('a token of a disabled client is inactive until the client is enabled', async (t) => {
  const own = await createMachine(deps, { audience: ['https://a.example'] })
  const token = await tokenOf(own)
  t.match(await outcome(token, serverA), { body: { active: true } })
  await deps.clientAdministration.disable(own.id, byOperator)
  t.strictSame(await outcome(token, serverA), inactive)
  await deps.clientAdministration.enable(own.id, byOperator)
  t.match(await outcome(token, serverA), { body: { active: true } })
})

t.test('a token of a disabled user, and of an ended session, is inactive', async (t) => {
  const [disabled, signedOut] = [await register(app), await register(app)]
  await deps.userAdministration.disableUser(disabled.user.id, byOperator)
  await app.inject({
    method: 'POST',
    url: '/auth/logout',
    headers: { authorization: `Bearer ${signedOut.access_token}` },
  })
  t.strictSame(await outcome(disabled.access_token, ourselves), inactive)
  t.strictSame(await outcome(signedOut.access_token, ourselves), inactive)
})

t.test('what is no token is inactive, whatever the hint says (RFC 7662 §2.2)', async (t) => {
  for (const token of ['x', 'a.b.c', 'trt_x', '\u{1f511}', ' ', '.', 'x'.repeat(60_000)]) {
    for (const hint of [undefined, 'access_token', 'refresh_token', 'x']) {
      const form = { token, ...(hint === undefined ? {} : { token_type_hint: hint }) }
      t.strictSame(outcomeOf(await introspect(form, machine.headers)), inactive)
    }
  }
})

t.test('an access token is inactive from the second on in which it expires', async (t) => {
  await deps.audienceAdministration.set(
    { name: 'https://short.example', accessTokenTtlSeconds: 100 },
    byOperator,
  )
  const own = await createMachine(deps, { audience: ['https://short.example'] })
  const token = await tokenOf(own)
  service.moveTime(90)
  await deps.revocations.announce()
  t.match(await outcome(token, own), { body: { active: true } })
  service.moveTime(10)
  await deps.revocations.announce()
  t.strictSame(await outcome(token, own), inactive)
})

const bad = (description: string) => oauthError(400, 'invalid_request', description)
const refused: Record<
  string,
  [form: Form, expected: ReturnType<typeof oauthError>, headers?: Record<string, string>]
> = {
  'without a token': [{}, bad('token is required')],
  'with an empty token': [{ token: '' }, bad('token is required')],
  'with two tokens': [{ token: ['a', 'b'] }, bad('token must not be repeated')],
  'of a public client': [
    { token: 'a', client_id: 'first-party' },
    oauthError(401, 'invalid_client', 'Introspection needs a confidential client'),
    {},
  ],
  'without a client': [{ token: 'a' }, unauthenticated(), {}],
  'of an unknown client': [{ token: 'a' }, unauthenticated(basicChallenge), basic('x', 'x')],
  'with a wrong secret': [{ token: 'a' }, unauthenticated(basicChallenge), basic(machine.id, 'x')],
  'with a bearer token in place of credentials': [
    { token: 'a' },
    unauthenticated(basicChallenge),
    { authorization: 'Bearer a' },
  ],
  'with NUL in the token': ['token=a%00', bad('The form is not valid UTF-8 text')],
  'that is not a form': [
    '{"token":"a"}',
    { ...bad('The content type is not supported'), status: 415 },
    { ...machine.headers, 'content-type': 'application/json' },
  ],
}

for (const [what, [form, expected, headers]] of Object.entries(refused)) {
  t.test(`an introspection is refused ${what}`, async (t) => {
    t.strictSame(outcomeOf(await introspect(form, headers ?? machine.headers)), expected)
  })
}
