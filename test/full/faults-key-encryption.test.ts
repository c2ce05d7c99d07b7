import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Test, test } from 'tap'
import { isAccepted, refresh } from '../support/nodes.ts'
import { register, startService, type TestService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const operator = { actor: 'cli', origin: {} }
const newKey = (): string => randomBytes(32).toString('base64')

/** A service whose nodes are replaced one by one while people use it. */
const startFleet = async (t: Test, keys: string) => {
  const settings = { RATE_LIMIT_REFRESH: 'off' }
  const first = await startService(t, { ...settings, KEY_ENCRYPTION_KEY: keys })
  const database = { ...settings, DATABASE_URL: first.databaseUrl }
  const start = (keys: string) => startService(t, { ...database, KEY_ENCRYPTION_KEY: keys })
  const nodes: TestService[] = [first, await start(keys)]
  const busy = new Map<TestService, number>()
  const failures: string[] = []
  let ended = false
  let successes = 0

  const use = async <T>(index: number, act: (node: TestService) => Promise<T>): Promise<T> => {
    const node = nodes[index % nodes.length] as TestService
    busy.set(node, (busy.get(node) ?? 0) + 1)
    try {
      return await act(node)
    } finally {
      busy.set(node, (busy.get(node) ?? 0) - 1)
    }
  }

  const person = async (): Promise<void> => {
    let token = (await register(first.app)).refresh_token
    for (let turn = 0; !ended; turn += 1) {
      const answer = await use(turn, (node) => refresh(node, token))
      if (answer.status !== 200) {
        failures.push(`a refresh was answered ${answer.status}`)
        return
      }
      token = String(answer.body.refresh_token)
      const accessToken = String(answer.body.access_token)
      const accepted = await use(turn + 1, (node) => isAccepted(node, accessToken))
      if (!accepted) failures.push('the other node refused an access token')
      successes += 1
      await delay(10)
    }
  }

  const replace = async (keys: string): Promise<void> => {
    for (const index of nodes.keys()) {
      const former = nodes[index] as TestService
      nodes[index] = await start(keys)
      await waitUntil('its requests to be answered', () => busy.get(former) === 0)
      await former.app.close()
      await former.deps.close()
    }
  }

  const people = [1, 2, 3].map(person)
  return {
    nodes,
    start,
    replace,
    /** Waits until everybody has gone on for a while. */
    goOn: async () => {
      const goal = successes + 10
      await waitUntil('people to go on', () => successes >= goal || failures.length > 0)
    },
    end: async () => {
      ended = true
      await Promise.all(people)
      return failures
    },
  }
}

test('the key-encryption key is changed on running nodes, and nobody notices', async (t) => {
  const [old, fresh] = [newKey(), newKey()]
  const fleet = await startFleet(t, old)
  await fleet.goOn()
  await fleet.replace(`${old},${fresh}`)
  await fleet.goOn()
  await fleet.replace(`${fresh},${old}`)
  await fleet.goOn()
  const { keyAdministration } = (fleet.nodes[0] as TestService).deps
  t.equal(
    await keyAdministration.reseal(operator),
    10,
    'eight signing keys, a MAC key and the subject key',
  )
  await fleet.goOn()
  await fleet.replace(fresh)
  await fleet.goOn()
  t.strictSame(await fleet.end(), [])
  await t.rejects(fleet.start(old), { name: 'SealError' }, 'the old one opens nothing any more')
  for (const { log } of fleet.nodes) {
    t.notOk(
      log.some((line) => line.includes('cannot be opened')),
      'each node could open every key',
    )
  }
})
