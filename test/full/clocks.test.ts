import { globSync } from 'node:fs'
import { decodeJwt } from 'jose'
import { type Kysely, sql } from 'kysely'
import { type Test, test } from 'tap'
import type { Database } from '../../src/stores/postgres/schema.ts'
import { cheapSettings, runCli } from '../cli/run-cli.ts'
import { createTestDatabase } from '../support/database.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { connect, testEnvironment } from '../support/service.ts'
import { systemTool } from '../support/system-tool.ts'
import { waitUntil } from '../support/wait-until.ts'
import { isAccepted, post, postForm, refresh, register, revoke, tokensOf } from './wire.ts'

const skewSeconds = 300
// Whole seconds in the claims, and the time that two requests take.
const toleranceSeconds = 5

/** What makes a process live in another time. */
const fakeTime = async (offsetSeconds: number): Promise<Readonly<Record<string, string>>> => {
  await systemTool({ programs: ['faketime'], debianPackage: 'faketime' })
  const [library] = globSync('/usr/lib/{*/,}faketime/libfaketimeMT.so.1')
  if (library === undefined) throw new Error('faketime came without its library')
  return {
    LD_PRELOAD: library,
    FAKETIME: `${offsetSeconds > 0 ? '+' : ''}${offsetSeconds}s`,
    // A clock that is wrong runs no faster for that.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
}

/** Two nodes of one service, one ahead and one behind, and the database that is right. */
const startSkewed = async (t: Test, settings: Readonly<Record<string, string>> = {}) => {
  const { url: databaseUrl } = await createTestDatabase(t)
  const environment = { ...testEnvironment, DATABASE_URL: databaseUrl, ...settings }
  const start = async (offsetSeconds: number) =>
    startServer(t, { ...environment, ...(await fakeTime(offsetSeconds)) })
  const [ahead, behind] = [await start(skewSeconds), await start(-skewSeconds)]
  return { ahead, behind, environment, db: await connect(t, { databaseUrl }) }
}

/** Seconds since the epoch. */
const databaseTime = async (db: Kysely<Database>): Promise<number> => {
  const { rows } = await sql<{ now: number }>`
    SELECT extract(epoch FROM clock_timestamp())::float8 AS now`.execute(db)
  return rows[0]?.now ?? Number.NaN
}

/** Seconds by which a node's own clock differs from ours. */
const skewOf = async ({ url }: ServerProcess): Promise<number> => {
  const { headers } = await fetch(`${url}/health/live`)
  return (Date.parse(headers.get('date') ?? '') - Date.now()) / 1000
}

test('nodes whose clocks are five minutes wrong issue tokens by the time of the database', async (t) => {
  const { ahead, behind, environment, db } = await startSkewed(t)
  for (const [node, expected] of [
    [ahead, skewSeconds],
    [behind, -skewSeconds],
  ] as const) {
    t.ok(Math.abs((await skewOf(node)) - expected) < toleranceSeconds, 'its clock is wrong')
  }

  const words = ['clients', 'create', '--name', 'Machine', '--grant', 'client_credentials']
  const created = await runCli([...words, '--json'], { ...environment, ...cheapSettings })
  const { client_id: id, client_secret: secret } = JSON.parse(created.stdout)

  for (const node of [ahead, behind]) {
    const person = await register(node)
    const { email, password } = person
    const issued = {
      registration: person.access,
      'sign-in': tokensOf(await post(node, '/auth/login', { email, password })).access,
      refresh: tokensOf(await refresh(node, person.refresh)).access,
      'client credentials': `${
        (await postForm(node, '/token', { grant_type: 'client_credentials' }, { id, secret })).body
          .access_token
      }`,
    }
    const now = await databaseTime(db)
    for (const [way, token] of Object.entries(issued)) {
      const { iat = 0, exp = 0, auth_time: authTime = iat } = decodeJwt(token)
      t.equal(exp - iat, 900, way)
      for (const time of [iat, Number(authTime)]) {
        t.ok(time <= now && now - time < toleranceSeconds, `${way}: ${now - time} s ago`)
      }
      if (way !== 'client credentials') {
        t.strictSame(
          [await isAccepted(ahead, token), await isAccepted(behind, token)],
          [true, true],
          'valid at both',
        )
      }
    }
  }
})

test('a family goes back and forth between nodes whose clocks are ten minutes apart', async (t) => {
  const { ahead, behind } = await startSkewed(t)
  let { refresh: token } = await register(ahead)
  for (let round = 0; round < 4; round += 1) {
    const [first, other] = round % 2 === 0 ? [behind, ahead] : [ahead, behind]
    const rotated = tokensOf(await refresh(first, token))
    const retried = tokensOf(await refresh(other, token))
    t.equal(retried.refresh, rotated.refresh, 'a retry at the other node is inside the window')
    t.equal(await isAccepted(other, rotated.access), true)
    token = rotated.refresh
  }
})

test('a revocation at one of them is seen by the other within its polling', async (t) => {
  const { ahead, behind } = await startSkewed(t)
  for (const [at, seenBy] of [
    [ahead, behind],
    [behind, ahead],
  ] as const) {
    const person = await register(at)
    t.equal(await isAccepted(seenBy, person.access), true)
    t.equal((await revoke(at, person.refresh)).status, 200)
    t.equal(await isAccepted(at, person.access), false)
    // Every 500 ms, and time for the readings themselves.
    await waitUntil('the other node', async () => !(await isAccepted(seenBy, person.access)), {
      timeoutMs: 1500,
    })
    t.match(await refresh(seenBy, person.refresh), {
      status: 401,
      body: { code: 'revoked_refresh_token' },
    })
  }
})

test('a token ends at both of them when the database says so', async (t) => {
  const { ahead, behind, db } = await startSkewed(t, { ACCESS_TOKEN_TTL_SECONDS: '4' })
  for (const issuedBy of [ahead, behind]) {
    const { access } = await register(issuedBy)
    const { exp = 0 } = decodeJwt(access)
    for (const node of [ahead, behind]) {
      t.equal(await isAccepted(node, access), true, 'valid before')
    }
    t.ok((await databaseTime(db)) < exp, 'which was before its end')
    const ended = await Promise.all(
      [ahead, behind].map((node) =>
        waitUntil('the end of the token', async () => {
          if (await isAccepted(node, access)) return false
          return await databaseTime(db)
        }),
      ),
    )
    for (const at of ended) t.ok(Math.abs(at - exp) < 1, `ended ${(at - exp).toFixed(3)} s after`)
  }
})
