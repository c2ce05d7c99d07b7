import { setTimeout as delay } from 'node:timers/promises'
import { DataFolderError } from '../stores/postgres/data-folder.ts'
import { callLocalSocket } from './local-client.ts'
import type { LocalRequest, LocalResponse } from './local-message.ts'
import { localSocketPath } from './socket-path.ts'

// A server that starts has the data folder some seconds before it listens.
const longestWaitMs = 10_000
const pollMs = 100

/**
 * Sends a request to the server of a data folder, or does `here` what needs the folder itself when
 * none runs. Waits a while for whoever has the folder and does not listen.
 * @param here takes the folder's lock without waiting for it, before it does anything else.
 * @returns what the server answers, or what `here` gives.
 * @throws {DataFolderError} when the folder stays taken and nobody listens.
 */
export const askServerOr = async <T>(
  dataDir: string,
  request: LocalRequest,
  here: () => Promise<T>,
): Promise<LocalResponse | T> => {
  const path = localSocketPath(dataDir)
  const deadline = performance.now() + longestWaitMs
  for (;;) {
    const response = await callLocalSocket(path, request)
    if (response !== undefined) return response
    try {
      return await here()
    } catch (error) {
      const isTaken = error instanceof DataFolderError && error.inUse
      if (!isTaken || performance.now() > deadline) throw error
    }
    await delay(pollMs)
  }
}
