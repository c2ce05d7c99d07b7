import type { Config } from '../config.ts'
import { askServerOr } from './ask-server.ts'
import { toCliError } from './local-error.ts'
import type { LocalRequest, LocalResponse } from './local-message.ts'
import type { Call } from './operations/index.ts'

/**
 * Has operations done where the data are: with a database here; in the embedded mode by the server
 * that runs, or here when none does.
 */
export const createCall = (readConfig: () => Config): Call =>
  (async (operation, input) => {
    const config = readConfig()
    const request = { operation, input }
    const here = () => runHere(config, request)
    const response = config.databaseUrl
      ? await here()
      : await askServerOr(config.dataDir, request, here)
    if (!response.ok) throw toCliError(response.error)
    return response.result
  }) as Call

// Loaded when it is needed: the whole service takes longer to load than a server to answer.
const runHere = async (config: Config, request: LocalRequest): Promise<LocalResponse> =>
  (await import('./run-here.ts')).runHere(config, request)
