import { decodeJwt } from 'jose'
import t from 'tap'
import { bodyOf, credentials, post, type SignedIn } from '../faults/over-http.ts'
import { patience, type RacingNode, raceEnding, raceFamilies } from '../flows/refresh-race.ts'
import { tokenOf } from '../support/nodes.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { register, startService, testEnvironment } from '../support/service.ts'
import { isAccepted, refresh, revoke } from './wire.ts'

// Two processes, and in this one a node that nobody asks: it makes the first administrator.
const { app, deps, databaseUrl } = await startService(t)
const promoted = await register(app)
await deps.userAdministration.grantRole(promoted.user.id, 'admin', {
  actor: 'cli',
  origin: {},
})

const environment = { ...testEnvironment, ...patience, DATABASE_URL: databaseUrl }
const [first, second] = await Promise.all([
  startServer(t, environment),
  startServer(t, environment),
])

const racing = (server: ServerProcess): RacingNode => ({
  refresh: (token) => refresh(server, token),
  isAccepted: (token) => isAccepted(server, token),
})
const nodes = [racing(first), racing(second)] as const

type Person = SignedIn & { readonly password: string }

const join = async (): Promise<Person> => {
  const account = credentials()
  return { ...(await bodyOf<SignedIn>(post(first, '/auth/register', account))), ...account }
}

const joinAll = async (count: number): Promise<Person[]> => {
  const people: Person[] = []
  while (people.length < count) {
    people.push(...(await Promise.all(Array.from({ length: 10 }, join))))
  }
  return people
}

const signIn = ({ email, password }: { email: string; password: string }) =>
  bodyOf<SignedIn>(post(first, '/auth/login', { email, password }))

const admin = await signIn(promoted)

/** Does it at the first node, in somebody's name. */
const act = async (
  path: string,
  { access_token: token }: Pick<SignedIn, 'access_token'>,
  { method = 'POST', body }: { method?: string; body?: object } = {},
): Promise<void> => {
  const response = await fetch(first.url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
}

const endings: Record<string, (person: Person) => Promise<unknown>> = {
  'sign-out everywhere': (person) => act('/auth/logout-all', person),
  'disabling the user': ({ user }) => act(`/admin/users/${user.id}/disable`, admin),
  'a change of the password in another session': async ({ user, password }) => {
    const other = await signIn({ email: user.email, password })
    const body = { current_password: password, new_password: 'a quite different passphrase' }
    await act('/auth/password', other, { body })
  },
  'revoking the family': ({ refresh_token: token }) => revoke(first, token),
}

for (const [name, end] of Object.entries(endings)) {
  t.test(`two processes: refresh races ${name}, and nothing old or new survives`, async (t) => {
    await raceEnding(t, nodes, await joinAll(10), end)
  })
}

t.test('two processes: refresh races a change of roles, which new tokens carry', async (t) => {
  const people = await joinAll(10)
  await Promise.all(
    people.map(async ({ user, refresh_token: token }) => {
      const granting = act(`/admin/users/${user.id}/roles/admin`, admin, { method: 'PUT' })
      let answer = await nodes[1].refresh(token)
      await granting
      for (let count = 0; count < 5; count += 1) answer = await nodes[1].refresh(tokenOf(answer))
      const accessToken = answer.body.access_token as string
      t.equal(await nodes[1].isAccepted(accessToken), true)
      t.match(decodeJwt(accessToken), { roles: ['admin', 'user'], scope: 'account' })
    }),
  )
})

t.test('two processes: 200 families at once, each by five requests, all go on', async (t) => {
  const people = await joinAll(200)
  await raceFamilies(
    t,
    nodes,
    people.map(({ refresh_token: token }) => token),
  )
})
