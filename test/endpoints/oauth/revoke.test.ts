import t from 'tap'
import { connect, register, startService } from '../../support/service.ts'
import { waitUntil } from '../../support/wait-until.ts'
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

const service = await startService(t)
const { app, deps } = service
const db = await connect(t, service)
const client = await createMachine(deps)
const watcher = await createMachine(deps, { resourceServer: ['http://localhost:4000'] })

type Machine = Awaited<ReturnType<typeof createMachine>>
const firstParty = { client_id: 'first-party' } as const
const done = { status: 200, type: undefined, cache: 'no-store', body: '' }

const revoke = (form: Form, headers: Readonly<Record<string, string>> = {}) =>
  postForm(app, '/revoke', form, headers)
const tokenOf = async ({ headers }: Machine): Promise<string> =>
  (await postForm(app, '/token', { grant_type: 'client_credentials' }, headers)).json().access_token
const isActive = async (token: string): Promise<boolean> =>
  (await postForm(app, '/introspect', { token }, watcher.headers)).json().active
const refresh = (token: string, form: Form = firstParty, headers = {}) =>
  postForm(
    app,
    '/token',
    { grant_type: 'refresh_token', refresh_token: token, ...(form as object) },
    headers,
  )
const entriesOf = async (kind: 'jti' | 'fam') =>
  (await db.selectFrom('revocations').select('value').where('kind', '=', kind).execute()).length
const eventsOf = (clientId: string) =>
  db
    .selectFrom('audit_events')
    .select(['type', 'actor', 'subject', 'request_id'])
    .where('client_id', '=', clientId)
    .where('type', 'in', ['token.revoked', 'family.revoked'])
    .execute()

t.test('an access token ends alone, and its revocation is audited', async (t) => {
  const machine = await createMachine(deps)
  const [token, other] = [await tokenOf(machine), await tokenOf(machine)]

  const answer = await revoke({ token }, machine.headers)

  t.strictSame(outcomeOf(answer), done)
  t.strictSame([await isActive(token), await isActive(other)], [false, true])
  t.strictSame(await eventsOf(machine.id), [
    {
      type: 'token.revoked',
      actor: machine.id,
      subject: machine.id,
      request_id: answer.headers['x-request-id'],
    },
  ])
})

t.test('a refresh token ends its family with all tokens of it, and nobody else’s', async (t) => {
  const [person, other] = [await register(app), await register(app)]
  const { refresh_token: next, access_token: second } = (await refresh(person.refresh_token)).json()

  t.strictSame(outcomeOf(await revoke({ token: next, ...firstParty })), done)

  for (const token of [next, person.refresh_token]) {
    t.strictSame(
      outcomeOf(await refresh(token)),
      oauthError(400, 'invalid_grant', 'The refresh token was revoked', { code: 'revoked' }),
    )
  }
  t.strictSame(await Promise.all([person.access_token, second, other.access_token].map(isActive)), [
    false,
    false,
    true,
  ])
  t.equal((await refresh(other.refresh_token)).statusCode, 200)
  const me = await app.inject({ url: '/auth/me', headers: { authorization: `Bearer ${second}` } })
  t.match([me.statusCode, me.json()], [401, { code: 'revoked_token' }])
})

t.test('a refresh token of any generation will do', async (t) => {
  const person = await register(app)
  const second = (await refresh(person.refresh_token)).json().refresh_token
  const third = (await refresh(second)).json().refresh_token

  t.strictSame(outcomeOf(await revoke({ token: person.refresh_token, ...firstParty })), done)

  t.equal((await refresh(third)).json().code, 'revoked')
})

t.test('revoking again does nothing more, and is well', async (t) => {
  const machine = await createMachine(deps)
  const token = await tokenOf(machine)
  const person = await register(app)
  for (let i = 0; i < 3; i += 1) {
    t.strictSame(outcomeOf(await revoke({ token }, machine.headers)), done)
    t.strictSame(outcomeOf(await revoke({ token: person.refresh_token, ...firstParty })), done)
  }
  t.equal((await eventsOf(machine.id)).length, 1)
})

t.test('a hint is only a hint (RFC 7009 §2.1)', async (t) => {
  const machine = await createMachine(deps)
  for (const hint of ['refresh_token', 'access_token', 'something', '']) {
    const token = await tokenOf(machine)
    t.strictSame(outcomeOf(await revoke({ token, token_type_hint: hint }, machine.headers)), done)
    t.equal(await isActive(token), false, hint)
    const person = await register(app)
    const form = { token: person.refresh_token, token_type_hint: hint, ...firstParty }
    t.strictSame(outcomeOf(await revoke(form)), done)
    t.equal((await refresh(person.refresh_token)).json().code, 'revoked', hint)
  }
})

t.test('another client’s tokens are left alone, and look as if they were unknown', async (t) => {
  const [machine, thief] = [await createMachine(deps), await createMachine(deps)]
  const token = await tokenOf(machine)
  const person = await register(app)
  const before = [await entriesOf('jti'), await entriesOf('fam')]

  for (const stolen of [token, person.refresh_token, person.access_token, 'garbage']) {
    t.strictSame(outcomeOf(await revoke({ token: stolen }, thief.headers)), done)
  }
  t.strictSame(outcomeOf(await revoke({ token, ...firstParty })), done)

  t.strictSame(await Promise.all([token, person.access_token].map(isActive)), [true, true])
  t.equal((await refresh(person.refresh_token)).statusCode, 200)
  t.strictSame([await entriesOf('jti'), await entriesOf('fam')], before)
})

t.test('an expired access token needs no entry', async (t) => {
  const machine = await createMachine(deps)
  const token = await tokenOf(machine)
  const before = await entriesOf('jti')
  service.moveTime(901)
  await deps.revocations.announce()

  t.strictSame(outcomeOf(await revoke({ token }, machine.headers)), done)

  t.equal(await entriesOf('jti'), before)
})

t.test('a confidential client ends its family only with its credentials', async (t) => {
  const machine = await createMachine(deps, { grantTypes: ['refresh_token'], scope: ['account'] })
  const person = await register(app)
  await db
    .updateTable('refresh_families')
    .set({ client_id: machine.id })
    .where('user_id', '=', person.user.id)
    .execute()
  const token = person.refresh_token

  t.strictSame(outcomeOf(await revoke({ token, client_id: machine.id })), unauthenticated())
  t.strictSame(outcomeOf(await revoke({ token, ...firstParty })), done)
  const next = (await refresh(token, {}, machine.headers)).json().refresh_token
  t.type(next, 'string')
  t.strictSame(outcomeOf(await revoke({ token: next }, machine.headers)), done)
  t.equal((await refresh(next, {}, machine.headers)).json().code, 'revoked')
  t.match(await eventsOf(machine.id), [
    { type: 'family.revoked', actor: machine.id, subject: person.user.id },
  ])
})

t.test('nobody fills the memory of verifiers by minting and revoking', async (t) => {
  const [machine, other] = [await createMachine(deps), await createMachine(deps)]
  for (let i = 0; i < 60; i += 1) {
    t.equal((await revoke({ token: await tokenOf(machine) }, machine.headers)).statusCode, 200)
  }
  const token = await tokenOf(machine)
  const answer = await revoke({ token }, machine.headers)

  const wait = Number(answer.headers['retry-after'])
  t.ok(Number.isInteger(wait) && wait >= 1 && wait <= 60)
  t.strictSame(outcomeOf(answer), {
    ...oauthError(429, 'invalid_request', 'Too many access tokens were revoked one by one'),
    retryAfter: String(wait),
  })
  t.equal(await isActive(token), true)
  t.equal((await revoke({ token: await tokenOf(other) }, other.headers)).statusCode, 200)
})

t.test('another node refuses what was revoked here, within a second', async (t) => {
  const second = await startService(t, { DATABASE_URL: service.databaseUrl })
  const machine = await createMachine(deps)
  const token = await tokenOf(machine)
  const there = async () =>
    (await postForm(second.app, '/introspect', { token }, watcher.headers)).json().active
  t.equal(await there(), true)

  await revoke({ token }, machine.headers)

  await waitUntil('the other node', async () => !(await there()), { timeoutMs: 1000 })
})

const bad = (description: string) => oauthError(400, 'invalid_request', description)
const refused: Record<
  string,
  [form: Form, expected: ReturnType<typeof oauthError>, headers?: Record<string, string>]
> = {
  'without a token': [{}, bad('token is required')],
  'with an empty token': [{ token: '' }, bad('token is required')],
  'with two tokens': [{ token: ['a', 'b'] }, bad('token must not be repeated')],
  'with two ways of client authentication': [
    { token: 'a', client_id: client.id, client_secret: client.secret },
    bad('Only one way of client authentication is allowed'),
  ],
  'without a client': [{ token: 'a' }, unauthenticated(), {}],
  'of an unknown public client': [{ token: 'a', client_id: 'nobody' }, unauthenticated(), {}],
  'with a wrong secret': [{ token: 'a' }, unauthenticated(basicChallenge), basic(client.id, 'x')],
  'with bytes that are not UTF-8': ['token=%ff', bad('The form is not valid UTF-8 text')],
  'that is not a form': [
    '{"token":"a"}',
    { ...bad('The content type is not supported'), status: 415 },
    { ...client.headers, 'content-type': 'application/json' },
  ],
}

for (const [what, [form, expected, headers]] of Object.entries(refused)) {
  t.test(`a revocation is refused ${what}`, async (t) => {
    t.strictSame(outcomeOf(await revoke(form, headers ?? client.headers)), expected)
  })
}

t.test('a disabled client revokes nothing', async (t) => {
  const machine = await createMachine(deps)
  const token = await tokenOf(machine)
  await deps.clientAdministration.disable(machine.id, byOperator)
  t.strictSame(outcomeOf(await revoke({ token }, machine.headers)), unauthenticated(basicChallenge))
})
