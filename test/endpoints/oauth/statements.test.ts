import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { buildApp } from '../../../src/app.ts'
import { loadConfig } from '../../../src/config.ts'
import { createDeps } from '../../../src/deps.ts'
import { createLogger } from '../../../src/plugins/logger.ts'
import { register, startService, testEnvironment } from '../../support/service.ts'
import { createMachine, postForm } from './requests.ts'

/** The last part of every answer of PostgreSQL: ReadyForQuery, outside of a transaction. */
const ready = Buffer.from([...Buffer.from('Z'), 0, 0, 0, 5, ...Buffer.from('I')])

/** The URL of a way to a database on which everything sent to it, and its answers, are counted. */
const startCounter = async (t: Test, databaseUrl: string) => {
  const target = new URL(databaseUrl)
  const counter = { messages: 0, roundTrips: 0, url: '' }
  const server = createServer((client) => {
    const database = connect(Number(target.port), target.hostname)
    client.on('data', () => {
      counter.messages += 1
    })
    database.on('data', (answer) => {
      if (answer.subarray(-ready.length).equals(ready)) counter.roundTrips += 1
    })
    client.pipe(database).pipe(client)
    for (const socket of [client, database]) socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = `${(server.address() as AddressInfo).port}`
  counter.url = url.href
  return counter
}

/** A node whose statements are counted, and which does nothing by itself: its jobs run on another. */
const startCountedNode = async (t: Test) => {
  const { databaseUrl } = await startService(t)
  const counter = await startCounter(t, databaseUrl)
  const config = loadConfig({ ...testEnvironment, DATABASE_URL: counter.url }, () => '')
  const deps = await createDeps(config, createLogger('silent'))
  t.teardown(() => deps.close())
  const app = await buildApp(deps)
  t.teardown(() => app.close())
  return { counter, app, deps }
}

t.test('client credentials of a client in memory send nothing to the database', async (t) => {
  const { counter, app, deps } = await startCountedNode(t)
  const [warm, cold] = [await createMachine(deps), await createMachine(deps)]
  const grant = ({ headers }: typeof warm) =>
    postForm(app, '/token', { grant_type: 'client_credentials' }, headers)
  t.equal((await grant(warm)).statusCode, 200)
  // What polls by itself would be counted too.
  await deps.revocations.close()

  const before = counter.messages
  for (let i = 0; i < 100; i += 1) t.equal((await grant(warm)).statusCode, 200)
  t.equal(counter.messages, before)

  t.equal((await grant(cold)).statusCode, 200)
  t.ok(counter.messages > before, 'a client that is not in memory is counted')
})

t.test('a refresh is one round trip, outside of any transaction', async (t) => {
  const { counter, app, deps } = await startCountedNode(t)
  let token = (await register(app)).refresh_token
  const refresh = async () => {
    const form = { grant_type: 'refresh_token', client_id: 'first-party', refresh_token: token }
    const response = await postForm(app, '/token', form)
    t.equal(response.statusCode, 200)
    token = response.json().refresh_token
  }
  await refresh()
  await deps.revocations.close()
  await deps.auditWriter.close()

  const before = { ...counter }
  for (let i = 0; i < 100; i += 1) await refresh()
  t.equal(counter.roundTrips - before.roundTrips, 100)
  t.equal(counter.messages - before.messages, 100, 'each sent at once')
})
