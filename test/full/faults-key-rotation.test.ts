import { randomBytes } from 'node:crypto'
import { type Test, test } from 'tap'
import { startBehindProxy } from '../faults/faulty-database.ts'
import { isAccepted, refresh, tokenOf } from '../support/nodes.ts'
import { register, startService, type TestService } from '../support/service.ts'

const operator = { actor: 'cli', origin: {} }

const newKey = (): string => randomBytes(32).toString('base64')

/** The number of the MAC key that made a token. */
const macKeyOf = (refreshToken: string): number =>
  Buffer.from(refreshToken.slice('trt_'.length), 'base64url').readUInt8(0)

const withMacKey = (refreshToken: string, number: number): string => {
  const bytes = Buffer.from(refreshToken.slice('trt_'.length), 'base64url')
  bytes.writeUInt8(number)
  return `trt_${bytes.toString('base64url')}`
}

/** Lets the time pass after which a new MAC key makes tokens. */
const waitForMacKey = async ({ moveTime, deps }: TestService): Promise<void> => {
  moveTime(121)
  await deps.revocations.announce()
}

/** A token that each node in turn makes, the others accept and continue. */
const expectOneService = async (
  t: Test,
  nodes: Readonly<Record<string, TestService>>,
  refreshToken: string,
): Promise<string> => {
  let token = refreshToken
  for (const [name, node] of Object.entries(nodes)) {
    const answer = await refresh(node, token)
    t.equal(answer.status, 200, `${name} goes on with the family`)
    token = tokenOf(answer)
    for (const other of Object.values(nodes)) {
      t.equal(await isAccepted(other, answer.body.access_token as string), true)
    }
  }
  return token
}

test('a new key-encryption key is configured second, put first, sealed under, and the old one removed', async (t) => {
  const [old, fresh] = [newKey(), newKey()]
  const before = await startService(t, { KEY_ENCRYPTION_KEY: old })
  const start = (keys: string) =>
    startService(t, { DATABASE_URL: before.databaseUrl, KEY_ENCRYPTION_KEY: keys })
  let { refresh_token: token } = await register(before.app)

  const second = await start(`${old},${fresh}`)
  token = await expectOneService(t, { before, second }, token)

  const first = await start(`${fresh},${old}`)
  t.match(await first.deps.keyAdministration.rotateMacKey(operator), {
    outcome: 'rotated',
    number: 2,
  })
  token = await expectOneService(t, { second, first }, token)

  t.ok((await first.deps.keyAdministration.reseal(operator)) > 0)
  t.equal(await first.deps.keyAdministration.reseal(operator), 0, 'nothing is left to do')
  await second.deps.keyRing.reload()
  token = await expectOneService(t, { second, first }, token)

  const only = await start(fresh)
  await expectOneService(t, { second, first, only }, token)
  await t.rejects(start(old), { name: 'SealError' }, 'the old one alone opens nothing any more')
})

test('a node that lacks the new key-encryption key goes on with what it has, and says what to do when it starts', async (t) => {
  const [old, fresh] = [newKey(), newKey()]
  const behind = await startService(t, { KEY_ENCRYPTION_KEY: old })
  const ahead = await startService(t, {
    DATABASE_URL: behind.databaseUrl,
    KEY_ENCRYPTION_KEY: `${fresh},${old}`,
  })
  let { refresh_token: token } = await register(behind.app)
  await ahead.deps.keyAdministration.reseal(operator)
  await behind.deps.keyRing.reload()
  token = await expectOneService(t, { behind, ahead }, token)

  await ahead.deps.keyAdministration.rotateMacKey(operator)
  await waitForMacKey(ahead)
  const answer = await refresh(ahead, token)
  t.equal(macKeyOf(tokenOf(answer)), 2)
  t.match(
    await refresh(behind, tokenOf(answer)),
    { status: 503, body: { code: 'unavailable' } },
    'it cannot tell, and does not say that the token is bad',
  )
  t.equal((await refresh(ahead, tokenOf(answer))).status, 200)
  await t.rejects(
    startService(t, { DATABASE_URL: behind.databaseUrl, KEY_ENCRYPTION_KEY: old }),
    /is sealed under a key-encryption key that is not configured: add the key/,
  )
})

test('tokens of the old and of the new MAC key are good on nodes that have it and on those that have not yet', async (t) => {
  const { service: behind, proxy, databaseUrl } = await startBehindProxy(t)
  const ahead = await startService(t, { DATABASE_URL: databaseUrl })
  const [one, two] = [await register(behind.app), await register(behind.app)]
  t.match(await ahead.deps.keyAdministration.rotateMacKey(operator), { number: 2 })
  t.equal(macKeyOf(tokenOf(await refresh(ahead, one.refresh_token))), 1, 'not in use at once')
  await waitForMacKey(ahead)

  let readings = 0
  proxy.loseReply((reply) => {
    if (reply.includes('sealed_key')) readings += 1
    return false
  })
  const made = tokenOf(await refresh(ahead, two.refresh_token))
  t.equal(macKeyOf(made), 2)
  const continued = tokenOf(await refresh(behind, made))
  t.equal(readings, 1, 'the unknown number was looked up')
  t.equal(macKeyOf(continued), 1, 'it has the key now, but its time has not come here')
  t.equal(macKeyOf(tokenOf(await refresh(ahead, continued))), 2)

  const forged = await Promise.all(
    Array.from({ length: 100 }, (_, index) => refresh(behind, withMacKey(made, 100 + index))),
  )
  t.strictSame(
    new Set(forged.map(({ status, body }) => `${status} ${body.code}`)),
    new Set(['401 invalid_refresh_token']),
  )
  t.ok(readings <= 2, 'invented numbers are looked up once a second at the most')
})
