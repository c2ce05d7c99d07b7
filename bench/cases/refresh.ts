import { runClosedLoop } from '../load/closed-loop.ts'
import { startTwin } from '../processes/twin.ts'
import { createRefreshTokens, type RefreshTokens } from '../setup/refresh-tokens.ts'
import type { MeasuredAlgorithm } from '../setup/registrations.ts'
import type { OpenCase, Phase } from './case.ts'

/** `POST /token` with `refresh_token`; each connection goes round families of its own. */
export const refresh =
  (algorithm: MeasuredAlgorithm, tokens: RefreshTokens): OpenCase =>
  async ({ service, config, registrations, seed, twinDatabaseUrl, connections }) => {
    const twin = await startTwin('updated', [
      algorithm,
      `${config.rsaModulusBits}`,
      twinDatabaseUrl,
      `${config.databasePoolSize}`,
    ])
    const ids = seed.families[algorithm].map(({ id }) => id)
    const twinTokens = createRefreshTokens(ids, registrations.appClientId)
    const run = (port: number, { scriptOf }: RefreshTokens, phase: Phase) =>
      runClosedLoop({
        ...phase,
        port,
        connections,
        scriptOf: (connection) => scriptOf(connection, connections),
      })
    return {
      name: `refresh, ${algorithm}`,
      limit: 'Fastify, the same UPDATE and one signature',
      budget: 0.8,
      service: (phase) => run(service.port, tokens, phase),
      twin: (phase) => run(twin.port, twinTokens, phase),
      close: twin.stop,
    }
  }
