import type { Phase } from '../cases/case.ts'
import { clientCredentialsRequest } from '../cases/client-credentials.ts'
import { runClosedLoop } from '../load/closed-loop.ts'
import { repeat, type Script } from '../load/request.ts'
import { startService } from '../processes/service.ts'
import type { RefreshTokens } from '../setup/refresh-tokens.ts'
import type { Registrations } from '../setup/registrations.ts'
import { startCountingProxy } from './counting-proxy.ts'
import { readUpdates } from './heap-only-updates.ts'
import { checkpoint, measureLogBytes } from './write-ahead-log.ts'

/** What one request costs the database. */
export type Counts = {
  readonly roundTripsPerRefresh: number
  readonly roundTripsPerClientCredentials: number
  /** Log bytes of a refresh without images of pages, on pages that have been written already. */
  readonly logBytes: number
  /** All log bytes of a refresh just after a checkpoint. */
  readonly logBytesAfterCheckpoint: number
  /** Share of updates that touched no index. */
  readonly heapOnly: number
}

type CountsOptions = {
  readonly registrations: Registrations
  readonly connections: number
  readonly tokens: RefreshTokens
  readonly databaseUrl: string
  readonly env: Readonly<Record<string, string>>
  readonly countingMs: number
}

/** Counts on a service of its own, with a proxy before its database. */
export const countCosts = async (options: CountsOptions): Promise<Counts> => {
  const { registrations, connections, tokens, databaseUrl, env } = options
  const before = await readUpdates(databaseUrl)
  const proxy = await startCountingProxy(databaseUrl)
  const service = await startService({ ...env, DATABASE_URL: proxy.url })
  const phase: Phase = { warmUpMs: 0, durationMs: options.countingMs }
  const run = async (scriptOf: (connection: number) => Script): Promise<number> =>
    (await runClosedLoop({ ...phase, port: service.port, connections, scriptOf })).answers
  const refresh = () => run((connection) => tokens.scriptOf(connection, connections))
  const grant = repeat(clientCredentialsRequest(registrations.machines.RS256))

  const roundTripsPer = async (act: () => Promise<number>): Promise<number> => {
    const start = proxy.roundTrips()
    const answers = await act()
    return (proxy.roundTrips() - start) / answers
  }
  const logBytesPer = async (act: () => Promise<number>) => {
    let answers = 0
    const bytes = await measureLogBytes(databaseUrl, async () => {
      answers = await act()
    })
    return { records: bytes.records / answers, all: (bytes.records + bytes.pageImages) / answers }
  }

  // Caches are warm, and the pages have been written, after the first time.
  for (const act of [refresh, () => run(() => grant)]) await act()
  const counted = {
    roundTripsPerRefresh: await roundTripsPer(refresh),
    roundTripsPerClientCredentials: await roundTripsPer(() => run(() => grant)),
    logBytes: (await logBytesPer(refresh)).records,
  }
  await checkpoint(databaseUrl)
  const logBytesAfterCheckpoint = (await logBytesPer(refresh)).all
  await service.stop()
  proxy.close()
  const after = await readUpdates(databaseUrl)
  const heapOnly = (after.heapOnly - before.heapOnly) / (after.all - before.all)
  return { ...counted, logBytesAfterCheckpoint, heapOnly }
}
