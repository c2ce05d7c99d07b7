import { test } from 'tap'
import { raceEnding, racing } from '../flows/refresh-race.ts'
import { isAccepted, refresh, startNodes, tokenOf } from '../support/nodes.ts'
import { register, type TestService } from '../support/service.ts'

type Person = Awaited<ReturnType<typeof register>>
const operator = { actor: 'cli', origin: {} }

const send = async (
  { app }: TestService,
  person: Pick<Person, 'access_token'>,
  url: string,
  payload?: Record<string, unknown>,
): Promise<void> => {
  const response = await app.inject({
    method: 'POST',
    url,
    headers: { authorization: `Bearer ${person.access_token}` },
    ...(payload && { payload }),
  })
  if (response.statusCode !== 204) throw new Error(`${url}: ${response.body}`)
}

/** Every act that ends a family, done on one node while another refreshes. */
const endings: Record<string, (service: TestService, person: Person) => Promise<unknown>> = {
  'sign-out': (service, person) => send(service, person, '/auth/logout'),
  'sign-out everywhere': (service, person) => send(service, person, '/auth/logout-all'),
  'disabling the user': ({ deps }, { user }) =>
    deps.userAdministration.disableUser(user.id, operator),
  'a new password set by the operator': ({ deps }, { user }) =>
    deps.userAdministration.setPassword(user.id, 'a quite different passphrase', operator),
  'a change of the password in another session': async (service, { email, password }) => {
    const login = await service.app.inject({
      method: 'POST',
      url: '/auth/login',
      payload: { email, password },
    })
    await send(service, login.json(), '/auth/password', {
      current_password: password,
      new_password: 'a quite different passphrase',
    })
  },
  'revoking the family': async ({ deps }, { refresh_token: token }) => {
    const located = await deps.families.locate(token)
    if (located === undefined) throw new Error('not a genuine refresh token')
    await deps.families.revoke(located.grant, { reason: 'revoked', ...operator })
  },
}

for (const [act, end] of Object.entries(endings)) {
  test(`refresh races ${act}: after it has answered nothing old is accepted and nothing new survives (keycloak 51312)`, async (t) => {
    const [first, second] = await startNodes(t)
    const people = await Promise.all(Array.from({ length: 8 }, () => register(first.app)))
    await raceEnding(t, [racing(first), racing(second)], people, (person) => end(first, person))
  })
}

test('refresh races a change of roles: the family lives on, and new tokens carry the new roles', async (t) => {
  const [first, second] = await startNodes(t)
  const people = await Promise.all(Array.from({ length: 8 }, () => register(first.app)))
  await Promise.all(
    people.map(async (person) => {
      const granting = first.deps.userAdministration.grantRole(person.user.id, 'admin', operator)
      let answer = await refresh(second, person.refresh_token)
      await granting
      for (let count = 0; count < 5; count += 1) answer = await refresh(second, tokenOf(answer))
      const verified = await second.deps.verifier.verify(answer.body.access_token as string)
      t.match(verified, { ok: true, claims: { roles: ['admin', 'user'], permissions: ['admin'] } })
      t.equal(answer.body.scope, 'account', 'scope is never widened by a refresh')
    }),
  )
})

test('refresh: a removed role takes `admin` out of new access tokens at once', async (t) => {
  const [first] = await startNodes(t)
  const { email, password, user } = await register(first.app)
  await first.deps.userAdministration.grantRole(user.id, 'admin', operator)
  const login = await first.app.inject({
    method: 'POST',
    url: '/auth/login',
    payload: { email, password },
  })
  const admin = login.json<{ refresh_token: string; scope: string }>()
  t.equal(admin.scope, 'account admin')
  await first.deps.userAdministration.revokeRole(user.id, 'admin', operator)
  const answer = await refresh(first, admin.refresh_token)
  t.match(answer, { status: 200, body: { scope: 'account' } })
  const verified = await first.deps.verifier.verify(answer.body.access_token as string)
  t.match(verified, { ok: true, claims: { roles: ['user'], permissions: [], scope: ['account'] } })
})

test('a password change ends the other sessions and keeps the present one', async (t) => {
  const [first, second] = await startNodes(t)
  const person = await register(first.app)
  const login = await second.app.inject({
    method: 'POST',
    url: '/auth/login',
    payload: { email: person.email, password: person.password },
  })
  const other = login.json<{ access_token: string; refresh_token: string }>()
  await send(first, person, '/auth/password', {
    current_password: person.password,
    new_password: 'a quite different passphrase',
  })
  t.equal(await isAccepted(first, other.access_token), false)
  t.match(await refresh(second, other.refresh_token), {
    status: 401,
    body: { code: 'revoked_refresh_token' },
  })
  t.equal(await isAccepted(first, person.access_token), true)
  t.equal((await refresh(second, person.refresh_token)).status, 200)
})
