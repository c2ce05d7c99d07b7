import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { DataFolderError } from '../stores/postgres/data-folder.ts'
import { callLocalSocket } from './local-client.ts'
import { toCliError } from './local-error.ts'
import type { LocalRequest, LocalResponse } from './local-message.ts'
import type { Call } from './operations/index.ts'
import { localSocketPath } from './socket-path.ts'

// A server that starts has the data folder some seconds before it listens.
const longestWaitMs = 10_000
const pollMs = 100

// Loaded when it is needed: the whole service takes longer to load than a server to answer.
const runHere = async (config: Config, request: LocalRequest): Promise<LocalResponse> =>
  (await import('./run-here.ts')).runHere(config, request)

/**
 * Has operations done where the data are: with a database here; in the embedded mode by the server
 * that runs, or here when none does.
 */
export const createCall = (readConfig: () => Config): Call =>
  (async (operation, input) => {
    const config = readConfig()
    const request = { operation, input }
    const response = config.databaseUrl
      ? await runHere(config, request)
      : await runEmbedded(config, request)
    if (!response.ok) throw toCliError(response.error)
    return response.result
  }) as Call

const runEmbedded = async (config: Config, request: LocalRequest): Promise<LocalResponse> => {
  const path = localSocketPath(config.dataDir)
  const deadline = performance.now() + longestWaitMs
  for (;;) {
    const response = await callLocalSocket(path, request)
    if (response !== undefined) return response
    try {
      return await runHere(config, request)
    } catch (error) {
      const mayListenSoon = error instanceof DataFolderError && error.inUse
      if (!mayListenSoon || performance.now() > deadline) throw error
    }
    await delay(pollMs)
  }
}
