import { test } from 'tap'
import { bodyOf, credentials, get, post, type SignedIn } from '../faults/over-http.ts'
import { createEmptyDatabase } from '../support/database.ts'
import { spawnServer, startServer } from '../support/server-process.ts'
import { connect, testEnvironment } from '../support/service.ts'

test('two first starts at once on one empty database are one service with one set of keys', async (t) => {
  const { url: databaseUrl } = await createEmptyDatabase(t)
  const environment = { ...testEnvironment, DATABASE_URL: databaseUrl }
  const [one, other] = await Promise.all([startServer(t, environment), startServer(t, environment)])
  type Jwks = { keys: { kid: string; alg: string; use: string }[] }
  const [jwks, same] = await Promise.all(
    [one, other].map((server) => bodyOf<Jwks>(get(server, '/.well-known/jwks.json'))),
  )
  t.strictSame(jwks, same)
  const published = jwks?.keys.map(({ alg }) => alg).sort()
  const twice = ['ES256', 'EdDSA', 'PS256', 'RS256'].flatMap((algorithm) => [algorithm, algorithm])
  t.strictSame(published, twice, 'the key that signs and the next one, of each algorithm')
  const db = await connect(t, { databaseUrl })
  t.equal((await db.selectFrom('mac_keys').select('number').execute()).length, 1)

  const person = await bodyOf<SignedIn>(post(one, '/auth/register', credentials()))
  const { refresh_token } = person
  const answer = await bodyOf<SignedIn>(post(other, '/refresh', { refresh_token }))
  const shown = await get(one, '/auth/me', { authorization: `Bearer ${answer.access_token}` })
  t.equal(shown.status, 200)
  for (const server of [one, other]) t.strictSame(await server.stop(), { code: 0, signal: null })
})

test('production refuses to start without what it needs, and names all of it at once', async (t) => {
  const server = spawnServer({ NODE_ENV: 'production' })
  t.strictSame(await server.exit, { code: 1, signal: null })
  for (const name of ['ISSUER', 'DATABASE_URL', 'KEY_ENCRYPTION_KEY']) {
    t.match(server.output(), new RegExp(`  - ${name} .*is required in production`))
  }
})

test('production refuses an issuer without https', async (t) => {
  const server = spawnServer({ ...testEnvironment, NODE_ENV: 'production' })
  t.strictSame(await server.exit, { code: 1, signal: null })
  t.match(server.output(), '  - ISSUER must be https in production')
})

test('a database that does not answer is told in a sentence, without its password', async (t) => {
  const server = spawnServer({
    ...testEnvironment,
    DATABASE_URL: 'postgres://tessera:do-not-tell@127.0.0.1:1/tessera',
  })
  t.strictSame(await server.exit, { code: 1, signal: null })
  t.match(server.output(), /^Tessera cannot start:\n {2}- .*the database does not answer/m)
  t.notMatch(server.output(), /do-not-tell/)
})
