import t, { type Test, test } from 'tap'
import { credentials, post } from '../faults/over-http.ts'
import { createTestDatabase } from '../support/database.ts'
import { refresh } from '../support/nodes.ts'
import { type PostgresMessage, startPostgresProxy } from '../support/postgres-proxy.ts'
import { keptThroughKill, startPostgresServer } from '../support/postgres-server.ts'
import { startProxy } from '../support/proxy.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { connect, register, startService, testEnvironment } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

// What the service and the database say to each other about one refresh. A step is reached when
// the message is on its way and has not arrived.
const steps = [
  'service: Parse',
  'service: Bind',
  'service: Describe',
  'service: Execute',
  'service: Sync',
  'database: ParseComplete',
  'database: BindComplete',
  'database: RowDescription',
  'database: DataRow',
  'database: CommandComplete',
  'database: ReadyForQuery',
]
/** PostgreSQL commits a single statement when it reads the Sync, and then answers. */
const isCommittedBy = (step: string): boolean => step.startsWith('database')

const labelOf = ({ sender, name }: PostgresMessage): string => `${sender}: ${name}`
const isRotation = ({ name, bytes }: PostgresMessage): boolean =>
  name === 'Parse' && bytes.includes('UPDATE refresh_families') && bytes.includes('rotated_from')

/** Stops the first rotation at its n-th message. @returns the messages before, and the one. */
const stopAt = (
  proxy: Awaited<ReturnType<typeof startPostgresProxy>>,
  index: number,
  act: () => void,
): string[] => {
  const seen: string[] = []
  let isTaken = false
  proxy.judge(() => {
    let isFollowed = false
    return (message) => {
      if (!isTaken && isRotation(message)) {
        isTaken = true
        isFollowed = true
      }
      if (!isFollowed || seen.length > index) return 'pass'
      seen.push(labelOf(message))
      if (seen.length <= index) return 'pass'
      act()
      return 'stop'
    }
  })
  return seen
}

const postgres = await startPostgresServer(t, { settings: keptThroughKill })
const { url: databaseUrl } = await createTestDatabase(t, postgres.url)
const proxy = await startPostgresProxy(t, databaseUrl)
const db = await connect(t, { databaseUrl })
const local = await startService(t, { DATABASE_URL: databaseUrl })
const environment = { ...testEnvironment, DATABASE_URL: proxy.url }
const newVictim = (t: Test): Promise<ServerProcess> => startServer(t, environment)
const other = await startServer(t, { ...testEnvironment, DATABASE_URL: databaseUrl })

type Person = Awaited<ReturnType<typeof register>>

const familyOf = ({ user }: Person) =>
  db
    .selectFrom('refresh_families')
    .select(['id', 'generation', 'revoked_at'])
    .where('user_id', '=', user.id)
    .execute()

/** The client, which knows its old token only, goes on at another process: nothing was lost. */
const expectToGoOn = async (t: Test, person: Person, server: ServerProcess): Promise<void> => {
  const present = (token: string) => post(server, '/refresh', { refresh_token: token })
  const retry = await present(person.refresh_token)
  t.equal(retry.status, 200, 'the old token is taken')
  const { refresh_token: successor } = (await retry.json()) as { refresh_token: string }
  t.match(await familyOf(person), [{ generation: 2, revoked_at: null }], 'rotated once')
  const next = await present(successor)
  t.equal(next.status, 200, 'its successor too')
  t.match(await familyOf(person), [{ generation: 3, revoked_at: null }], 'one live leaf')
  const events = await db
    .selectFrom('audit_events')
    .select('type')
    .where('subject', '=', person.user.id)
    .where('type', 'in', ['family.reused', 'family.retried_elsewhere', 'family.revoked'])
    .execute()
  t.strictSame(events, [], 'nobody is suspected')
}

test('refresh: a kill -9 of the server at any message to or from the database is a retry', async (t) => {
  for (const [index, step] of steps.entries()) {
    const [victim, person] = await Promise.all([newVictim(t), register(local.app)])
    const seen = stopAt(proxy, index, () => void victim.kill())
    const request = post(victim, '/refresh', { refresh_token: person.refresh_token })
    await t.rejects(request, `killed at ${step}`)
    t.strictSame(await victim.exit, { code: null, signal: 'SIGKILL' })
    t.strictSame(seen, steps.slice(0, index + 1), step)
    const generation = isCommittedBy(step) ? 2 : 1
    t.match(await familyOf(person), [{ generation, revoked_at: null }], 'all of it or nothing')
    await expectToGoOn(t, person, other)
  }
})

test('refresh: a kill -9 of the server whose answer is on its way is a retry', async (t) => {
  proxy.judge(() => () => 'pass')
  const [victim, person] = await Promise.all([newVictim(t), register(local.app)])
  const way = await startProxy(t, victim.url)
  way.loseReply((reply) => {
    if (!reply.includes('HTTP/1.1 200')) return false
    void victim.kill()
    return true
  })
  await t.rejects(post(way, '/refresh', { refresh_token: person.refresh_token }))
  t.strictSame(await victim.exit, { code: null, signal: 'SIGKILL' })
  t.match(await familyOf(person), [{ generation: 2, revoked_at: null }])
  await expectToGoOn(t, person, other)
})

test('refresh: a kill -9 of the server before it has read the request leaves the token as it was', async (t) => {
  const [victim, person] = await Promise.all([newVictim(t), register(local.app)])
  process.kill(victim.pid, 'SIGSTOP')
  const refused = t.rejects(post(victim, '/refresh', { refresh_token: person.refresh_token }))
  await victim.kill()
  await refused
  t.match(await familyOf(person), [{ generation: 1, revoked_at: null }])
  await expectToGoOn(t, person, other)
})

test('refresh: a kill -9 of the database at any message is 503 or done, and then a retry', async (t) => {
  const service = await startService(t, { DATABASE_URL: proxy.url, DATABASE_POOL_SIZE: '2' })
  for (const [index, step] of steps.entries()) {
    const person = await waitUntil('an account', () => register(local.app))
    let dead: Promise<void> | undefined
    const seen = stopAt(proxy, index, () => {
      dead = postgres.kill()
    })
    const asked = await refresh(service, person.refresh_token)
    await dead
    await postgres.start()
    t.equal(seen.at(-1), step)
    t.ok([200, 503].includes(asked.status), `${asked.status} at ${step}`)
    const [family] = await waitUntil('the database', () => familyOf(person))
    t.match(family, { revoked_at: null })
    if (isCommittedBy(step)) t.equal(family?.generation, 2, 'committed')
    await waitUntil('the other process to recover', async () => {
      return (await post(other, '/auth/register', credentials())).status === 201
    })
    await expectToGoOn(t, person, other)
  }
})
