import { Redis } from 'ioredis'
import { Client } from 'pg'
import t, { type Test } from 'tap'
import { createEmptyDatabase, testDatabaseUrl } from './database.ts'
import { startPostgresServer } from './postgres-server.ts'
import { startProxy } from './proxy.ts'
import { createTestRedis } from './redis.ts'
import { startRedisServer } from './redis-server.ts'

t.test('a PostgreSQL of a test keeps its rows through kill and start', async (t) => {
  const server = await startPostgresServer(t)
  const before = await connect(t, server.url)
  await before.query('CREATE TABLE kept AS SELECT 7 AS number')
  await server.kill()
  await server.start()
  const after = await connect(t, server.url)
  t.same((await after.query('SELECT number FROM kept')).rows, [{ number: 7 }])
})

t.test('a Redis of a test answers again after pause and resume, and forgets by kill', async (t) => {
  const server = await startRedisServer(t)
  const redis = new Redis(server.url)
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  await redis.set('key', 'value')
  server.pause()
  const answer = redis.get('key')
  server.resume()
  t.equal(await answer, 'value')
  await server.kill()
  await server.start()
  t.equal(await redis.get('key'), null)
})

t.test('two databases of one test share nothing', async (t) => {
  const [one, other] = await Promise.all([createEmptyDatabase(t), createEmptyDatabase(t)])
  const [client, stranger] = [await connect(t, one.url), await connect(t, other.url)]
  await client.query('CREATE TABLE mine ()')
  await t.rejects(stranger.query('SELECT FROM mine'), { code: '42P01' })
})

t.test('two parts of Redis share neither URL nor prefix', async (t) => {
  const [one, other] = [await createTestRedis(t), await createTestRedis(t)]
  t.not(one.prefix, other.prefix)
})

t.test('a proxy loses the reply to work that is done', async (t) => {
  const { url } = await createEmptyDatabase(t)
  const proxy = await startProxy(t, url)
  const client = await connect(t, proxy.url)
  proxy.loseReply()
  await t.rejects(client.query('CREATE TABLE done ()'))
  const next = await connect(t, proxy.url)
  t.same((await next.query('SELECT FROM done')).rowCount, 0)
})

t.test('a proxy holds replies until it is restored', async (t) => {
  const proxy = await startProxy(t, testDatabaseUrl())
  const client = await connect(t, proxy.url)
  proxy.hold()
  let answered = false
  const answer = client.query('SELECT 1 AS one').finally(() => {
    answered = true
  })
  const direct = await connect(t, testDatabaseUrl())
  await direct.query('SELECT 1')
  t.equal(answered, false)
  proxy.restore()
  t.same((await answer).rows, [{ one: 1 }])
})

t.test('a cut proxy breaks connections and refuses new ones until it is restored', async (t) => {
  const proxy = await startProxy(t, testDatabaseUrl())
  const client = await connect(t, proxy.url)
  proxy.cut()
  await t.rejects(client.query('SELECT 1'))
  await t.rejects(connect(t, proxy.url))
  proxy.restore()
  t.ok(await connect(t, proxy.url))
})

async function connect(t: Test, connectionString: string): Promise<Client> {
  const client = new Client({ connectionString })
  client.on('error', () => {})
  await client.connect()
  t.teardown(() => client.end())
  return client
}

t.test('a proxy strands the connections that are there, and passes new ones', async (t) => {
  const proxy = await startProxy(t, testDatabaseUrl())
  const client = await connect(t, proxy.url)
  proxy.strand()
  const stranded = client.query({ text: 'SELECT 1', query_timeout: 100 } as { text: string })
  await t.rejects(stranded, { message: 'Query read timeout' })
  const next = await connect(t, proxy.url)
  t.same((await next.query('SELECT 1 AS one')).rows, [{ one: 1 }])
})
