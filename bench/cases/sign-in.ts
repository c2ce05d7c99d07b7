import { availableParallelism } from 'node:os'
import { runClosedLoop } from '../load/closed-loop.ts'
import { postJson, type Script } from '../load/request.ts'
import type { Sample } from '../load/sample.ts'
import { nextMessage, startTwinProgram } from '../processes/twin.ts'
import type { Seed } from '../setup/seed.ts'
import type { HashOrder, HashReport } from '../twins/argon2id.ts'
import type { OpenCase, Phase } from './case.ts'

/** `POST /auth/login`, each time as another user. */
export const signIn: OpenCase = async ({ service, config, seed, connections }) => {
  const threads = config.passwordHashConcurrency || Math.max(1, availableParallelism() - 1)
  const twin = startTwinProgram('argon2id', [`${threads}`, seed.passwordHash, seed.password])
  const script = signInScript(seed)
  return {
    name: 'sign-in by password',
    limit: `argon2id alone, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    budget: 0.9,
    service: (phase) =>
      runClosedLoop({ ...phase, port: service.port, connections, scriptOf: () => script }),
    twin: async ({ durationMs }: Phase) => {
      const report = nextMessage<HashReport>(twin)
      twin.child.send({ durationMs } satisfies HashOrder)
      return toSample(await report, threads)
    },
    close: twin.stop,
  }
}

/** Goes round the users, so that none has more sessions than the service keeps. */
export const signInScript = ({ emails, password }: Seed): Script => {
  let next = 0
  return () => {
    const email = emails[next % emails.length]
    next += 1
    return { request: postJson('/auth/login', { email, password }) }
  }
}

/** A thread without a queue: every hash takes its share of the time. */
const toSample = ({ hashes, elapsedMs }: HashReport, threads: number): Sample => {
  const eachMs = (elapsedMs * threads) / hashes
  return {
    perSecond: (hashes * 1000) / elapsedMs,
    p50: eachMs,
    p99: eachMs,
    answers: hashes,
    shed: 0,
  }
}
