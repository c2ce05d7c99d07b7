import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { CliError } from './cli-error.ts'
import {
  type LocalRequest,
  type LocalResponse,
  readMessage,
  writeMessage,
} from './local-message.ts'

const longestAnswerBytes = 64 * 1024 * 1024

/** @returns undefined when nobody listens at the path. @throws when it may not be used. */
export const connectLocalSocket = async (path: string): Promise<Socket | undefined> => {
  const socket = connect(path)
  // Errors reach whoever reads; one that comes in between must not end the process.
  socket.on('error', () => {})
  try {
    await once(socket, 'connect')
    return socket
  } catch (error) {
    socket.destroy()
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined
    throw new CliError(`The local socket ${path} cannot be used: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/**
 * Has a running server do something.
 * @returns undefined when no server listens at the path.
 * @throws {CliError} when it ends before it has answered: whether it acted is not known then.
 */
export const callLocalSocket = async (
  path: string,
  request: LocalRequest,
): Promise<LocalResponse | undefined> => {
  const socket = await connectLocalSocket(path)
  if (socket === undefined) return undefined
  try {
    writeMessage(socket, request)
    const answer = await readMessage(socket, longestAnswerBytes)
    if (answer !== undefined) return answer as LocalResponse
  } catch (error) {
    throw new CliError(`The server broke off: ${(error as Error).message}`, { cause: error })
  } finally {
    socket.destroy()
  }
  throw new CliError('The server ended before it had answered: look whether it was done')
}
