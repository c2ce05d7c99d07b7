import type { Kysely } from 'kysely'
import type { Test } from 'tap'
import { serveLocalSocket } from '../../src/cli/local-socket.ts'
import { performOperation } from '../../src/cli/operations/perform.ts'
import { localSocketPath } from '../../src/cli/socket-path.ts'
import { loadConfig } from '../../src/config.ts'
import { createDeps, type Deps } from '../../src/deps.ts'
import { createLogger } from '../../src/plugins/logger.ts'
import { openInMemory } from '../../src/stores/postgres/embedded.ts'
import type { Database } from '../../src/stores/postgres/schema.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { type CliResult, cheapSettings, runInProcess } from './run-cli.ts'

/** A service without HTTP that serves the command line, and commands that reach it. */
export type Served = {
  readonly deps: Deps
  readonly db: Kysely<Database>
  /** Moves the database's time from now on. */
  readonly sleep: (seconds: number) => void
  readonly run: (words: readonly string[], input?: string) => Promise<CliResult>
  /** Runs a command with `--json` that must succeed. @returns what it prints. */
  readonly json: (words: readonly string[], input?: string) => Promise<unknown>
}

export const serve = async (t: Test): Promise<Served> => {
  const env = { ...cheapSettings, DATA_DIR: temporaryFolder('cli') }
  const config = loadConfig(env, () => '')
  let offsetSeconds = 0
  const embedded = await openInMemory()
  const deps = await createDeps(config, createLogger('silent'), {
    embedded,
    timeOffset: () => offsetSeconds,
  })
  await deps.beginService()
  const socket = await serveLocalSocket(localSocketPath(config.dataDir), (request) =>
    performOperation(deps, request),
  )
  t.teardown(async () => {
    await socket.close()
    await deps.close()
  })
  const run: Served['run'] = (words, input) => runInProcess(words, () => config, input)
  return {
    deps,
    db: embedded.db,
    sleep: (seconds) => {
      offsetSeconds += seconds
    },
    run,
    json: async (words, input) => {
      const { code, stdout, stderr } = await run([...words, '--json'], input)
      if (code !== 0 || stderr !== '') throw new Error(`exit ${code}: ${stderr}`)
      return JSON.parse(stdout)
    },
  }
}
