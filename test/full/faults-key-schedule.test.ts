import { randomBytes } from 'node:crypto'
import { decodeProtectedHeader } from 'jose'
import { sql } from 'kysely'
import { type Test, test } from 'tap'
import { createTestDatabase } from '../support/database.ts'
import { isAccepted, refresh, tokenOf } from '../support/nodes.ts'
import { startProxy } from '../support/proxy.ts'
import { connect, register, startService, type TestService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const day = 86_400
const rings = ['RS256', 'ES256', 'EdDSA', 'PS256', 'MAC']
const newKey = (): string => randomBytes(32).toString('base64')
const keyOf = (token: string): string => decodeProtectedHeader(token).kid ?? ''

const elapse = async (nodes: readonly TestService[], seconds: number): Promise<void> => {
  for (const node of nodes) node.moveTime(seconds)
  for (const { deps } of nodes) await deps.revocations.announce()
  for (const { deps } of nodes) await deps.keyRing.reload()
}

test('keys rotate by themselves after 30 days, once, however many nodes try', async (t) => {
  const first = await startService(t)
  const nodes = [first, await startService(t, { DATABASE_URL: first.databaseUrl })]
  // The run's prepared databases, and their keys with them, are some minutes old.
  await elapse(nodes, 29 * day)
  t.strictSame(await first.deps.keyAdministration.runSchedule(), { rotated: [], stuck: [] })
  await elapse(nodes, day)
  const reports = await Promise.all(
    Array.from({ length: 8 }, (_, n) => nodes[n % 2]?.deps.keyAdministration.runSchedule()),
  )
  t.strictSame(
    reports.flatMap((report) => report?.stuck ?? []),
    [],
  )
  // The nodes run it by themselves too, so who did it is not known, but what was done.
  const { rows } = await sql<{ ring: string }>`
    SELECT algorithm AS ring FROM signing_keys WHERE sign_until IS NOT NULL
    UNION ALL SELECT 'MAC' FROM mac_keys WHERE number > 1
    ORDER BY 1`.execute(await connect(t, first))
  t.strictSame(
    rows.map(({ ring }) => ring),
    rings.toSorted(),
  )
  t.strictSame(await first.deps.keyAdministration.runSchedule(), { rotated: [], stuck: [] })
})

test('without a schedule nothing rotates', async (t) => {
  const node = await startService(t, { KEY_ROTATION_DAYS: '0' })
  await elapse([node], 1000 * day)
  t.strictSame(await node.deps.keyAdministration.runSchedule(), { rotated: [], stuck: [] })
})

test('while the database is away the present keys sign; the schedule says so and recovers', async (t) => {
  const proxy = await startProxy(t, (await createTestDatabase(t)).url)
  const timing = { keyTiming: { nodeReloadSeconds: 0.1 } }
  const service = await startService(t, { DATABASE_URL: proxy.url }, timing)
  const before = keyOf(await service.deps.keyRing.sign('ES256', 'at+jwt', {}))
  await elapse([service], 1)
  proxy.cut()
  service.moveTime(31 * day)
  const isLogged = () => service.log.some((line) => line.includes('the key schedule could not run'))
  await waitUntil('the schedule to fail', isLogged)
  t.equal(keyOf(await service.deps.keyRing.sign('ES256', 'at+jwt', {})), before)
  proxy.restore()
  await waitUntil('the rotation', async () => {
    return keyOf(await service.deps.keyRing.sign('ES256', 'at+jwt', {})) !== before
  })
})

// Days in the life of a key pass in a second.
const fast = {
  keyTiming: {
    minimumPublicationSeconds: 0,
    maxAgeSeconds: 0.5,
    staleWhileRevalidateSeconds: 0,
    nodeReloadSeconds: 0.5,
    skewSeconds: 0.5,
  },
  keyRotationSeconds: 2,
}

/** Refreshes on one node after the other, each of which has to accept what the other made. */
const expectOneService = async (
  t: Test,
  nodes: readonly TestService[],
  until: () => boolean,
): Promise<void> => {
  let token = (await register((nodes[0] as TestService).app)).refresh_token
  for (let turn = 0; !until(); turn += 1) {
    const node = nodes[turn % nodes.length] as TestService
    const answer = await refresh(node, token)
    if (answer.status !== 200) t.fail(`a refresh was answered ${answer.status}`)
    token = tokenOf(answer)
    for (const other of nodes) {
      const accepted = await isAccepted(other, String(answer.body.access_token))
      if (!accepted) t.fail('a token was refused')
    }
  }
}

const stuckRings = ({ log }: TestService): string[] => {
  const lines = log.filter((line) => line.includes('is due to be replaced and cannot be'))
  return [...new Set(lines.map((line) => String(JSON.parse(line).ring)))].sort()
}

test('a key that one node cannot open is not put into use until it can', async (t) => {
  const [old, fresh] = [newKey(), newKey()]
  const limits = { RATE_LIMIT_REFRESH: 'off', RATE_LIMIT_REGISTRATION: 'off' }
  const withoutSchedule = { ...fast, keyRotationSeconds: 0 }
  const behind = await startService(t, { ...limits, KEY_ENCRYPTION_KEY: old }, withoutSchedule)
  const database = { ...limits, DATABASE_URL: behind.databaseUrl }
  const both = { ...database, KEY_ENCRYPTION_KEY: `${fresh},${old}` }
  const ahead = await startService(t, both, fast)
  const signing = rings.slice(0, 4)

  const isStuck = () => signing.every((ring) => stuckRings(ahead).includes(ring))
  await expectOneService(t, [behind, ahead], isStuck)
  const since = Date.now()
  await expectOneService(t, [behind, ahead], () => Date.now() - since > 4000)
  const isTold = (line: string) => line.includes('a signing key cannot be opened')
  t.ok(behind.log.some(isTold), 'the node that cannot says so')
  t.ok(ahead.log.some((line) => line.includes('give every node the newest key-encryption key')))
  const before = keyOf(await ahead.deps.keyRing.sign('ES256', 'at+jwt', {}))
  t.equal(keyOf(await behind.deps.keyRing.sign('ES256', 'at+jwt', {})), before)

  await behind.app.close()
  await behind.deps.close()
  const mended = await startService(t, both, fast)
  let rotated = false
  const going = expectOneService(t, [mended, ahead], () => rotated)
  await waitUntil('the rotation', async () => {
    return keyOf(await ahead.deps.keyRing.sign('ES256', 'at+jwt', {})) !== before
  })
  rotated = true
  await going
})
