import t from 'tap'
import { createTestDatabase } from '../../support/database.ts'
import { startProxy } from '../../support/proxy.ts'
import { register, startService } from '../../support/service.ts'
import { waitUntil } from '../../support/wait-until.ts'
import {
  basicChallenge,
  byOperator,
  createMachine,
  outcomeOf,
  postForm,
  unauthenticated,
} from './requests.ts'

const proxy = await startProxy(t, (await createTestDatabase(t)).url)
const { app, deps } = await startService(t, { DATABASE_URL: proxy.url })

type Headers = Readonly<Record<string, string>>
const grant = (headers: Headers) =>
  postForm(app, '/token', { grant_type: 'client_credentials' }, headers)
const unavailable = {
  status: 503,
  type: 'application/json; charset=utf-8',
  cache: 'no-store',
  retryAfter: '1',
  body: { error: 'temporarily_unavailable' },
}

const known = await createMachine(deps, {
  resourceServer: ['http://localhost:4000'],
  grantTypes: ['client_credentials'],
})
const cold = await createMachine(deps)
const disabled = await createMachine(deps)
const person = await register(app)
const token: string = (await grant(known.headers)).json().access_token
await grant(disabled.headers)
await deps.clientAdministration.disable(disabled.id, byOperator)
await postForm(app, '/revoke', { token: 'x', client_id: 'first-party' })
proxy.cut()

t.test('a machine that was seen a moment ago gets its tokens without any SQL', async (t) => {
  const answers = await Promise.all(Array.from({ length: 100 }, () => grant(known.headers)))
  t.strictSame(new Set(answers.map((answer) => answer.statusCode)), new Set([200]))
})

t.test('a disabled one does not', async (t) => {
  t.strictSame(outcomeOf(await grant(disabled.headers)), unauthenticated(basicChallenge))
})

t.test('for all that needs the database the answer is 503, never a promise', async (t) => {
  const firstParty = { client_id: 'first-party' }
  const refresh = { grant_type: 'refresh_token', refresh_token: person.refresh_token }
  for (const answer of [
    await grant(cold.headers),
    await postForm(app, '/token', { ...refresh, ...firstParty }),
    await postForm(app, '/revoke', { token }, known.headers),
    await postForm(app, '/revoke', { token: person.refresh_token, ...firstParty }),
    await postForm(app, '/introspect', { token: person.refresh_token }, known.headers),
  ]) {
    t.match(outcomeOf(answer), unavailable)
  }
})

t.test('a token that we did not make is still nothing to revoke', async (t) => {
  t.equal((await postForm(app, '/revoke', { token: 'x' }, known.headers)).statusCode, 200)
})

t.test('introspection answers from memory for two seconds, then 503', async (t) => {
  const introspect = () => postForm(app, '/introspect', { token }, known.headers)
  const refused = await waitUntil('an answer that is too old to give', async () => {
    const answer = await introspect()
    if (answer.statusCode === 200) t.match(answer.json(), { active: true })
    return answer.statusCode === 503 && answer
  })
  t.match(outcomeOf(refused), unavailable)
})

t.test('it recovers by itself, and what was refused has not happened', async (t) => {
  proxy.restore()
  await waitUntil(
    'the database',
    async () => (await postForm(app, '/introspect', { token }, known.headers)).statusCode === 200,
    { timeoutMs: 2000 },
  )
  t.match(
    (await postForm(app, '/introspect', { token }, known.headers)).json(),
    { active: true },
    'not revoked by the attempt that was refused',
  )
  t.equal((await grant(cold.headers)).statusCode, 200)
  t.equal((await postForm(app, '/revoke', { token }, known.headers)).statusCode, 200)
  t.strictSame((await postForm(app, '/introspect', { token }, known.headers)).json(), {
    active: false,
  })
})
