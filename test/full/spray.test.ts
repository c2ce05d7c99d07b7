import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { test } from 'tap'
import { createTestDatabase } from '../support/database.ts'
import { startPostgresServer } from '../support/postgres-server.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { testEnvironment } from '../support/service.ts'
import type { Spray, Sprayed } from './sprayer.ts'
import { isAccepted, quantile, refresh, register, tokensOf, type WireAnswer } from './wire.ts'

const familyCount = 100
const width = 400
const phaseMs = 3000
const rounds = 3

const spray = async (workerData: Spray): Promise<Sprayed> => {
  const worker = new Worker(new URL('./sprayer.ts', import.meta.url), { workerData })
  const [sprayed] = (await once(worker, 'message')) as [Sprayed]
  await once(worker, 'exit')
  return sprayed
}

/** Refreshes the families one after the other, all of them at once, for as long as a phase. */
const goOn = async (server: ServerProcess, tokens: string[]): Promise<readonly WireAnswer[]> => {
  const deadline = performance.now() + phaseMs
  const answers: WireAnswer[] = []
  const follow = async (index: number): Promise<void> => {
    while (performance.now() < deadline) {
      const answer = await refresh(server, tokens[index])
      answers.push(answer)
      tokens[index] = tokensOf(answer).refresh
    }
  }
  await Promise.all(tokens.map((_, index) => follow(index)))
  return answers
}

test('one token sprayed 400 at a time is answered or told to come again, and harms no other family', async (t) => {
  const postgres = await startPostgresServer(t)
  const { url: databaseUrl } = await createTestDatabase(t, postgres.url)
  const server = await startServer(t, {
    ...testEnvironment,
    DATABASE_URL: databaseUrl,
    PASSWORD_HASH_QUEUE_LIMIT: `${familyCount}`,
    LOG_LEVEL: 'warn',
  })
  const people = await Promise.all(Array.from({ length: familyCount }, () => register(server)))
  const tokens = people.map((person) => person.refresh)
  await goOn(server, tokens)

  const quiet: number[] = []
  const sprayed: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    quiet.push(...(await goOn(server, tokens)).map(({ ms }) => ms))
    const { refresh: refreshToken } = await register(server)
    const [answers, { answers: seen, successors }] = await Promise.all([
      goOn(server, tokens),
      spray({ url: server.url, refreshToken, width, durationMs: phaseMs }),
    ])
    sprayed.push(...answers.map(({ ms }) => ms))
    t.comment(JSON.stringify(seen))
    t.strictSame(
      Object.keys(seen).filter((answer) => !['200', '503 1'].includes(answer)),
      [],
      'every answer is a token or 503 with Retry-After',
    )
    t.equal(successors.length, 1, 'the sprayed token has one successor')
    t.equal((await refresh(server, successors[0])).status, 200, 'and its family goes on')
  }

  const last = await Promise.all(tokens.map((token) => refresh(server, token)))
  const alive = await Promise.all(last.map((a) => isAccepted(server, tokensOf(a).access)))
  t.strictSame(new Set(alive), new Set([true]), 'every other family goes on')

  const [before, during] = [quantile(quiet, 0.99), quantile(sprayed, 0.99)]
  t.comment(`${quiet.length} refreshes without, ${sprayed.length} with the spray`)
  t.ok(during <= 5 * before, `p99 ${before.toFixed(0)} ms without, ${during.toFixed(0)} ms with it`)
})
