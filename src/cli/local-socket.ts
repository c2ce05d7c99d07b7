import { once } from 'node:events'
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { CliError } from './cli-error.ts'
import { connectLocalSocket } from './local-client.ts'
import { type LocalResponse, readMessage, writeMessage } from './local-message.ts'

/** Answers a request of the command line; never rejects. */
export type LocalHandler = (request: unknown) => Promise<LocalResponse>

export type LocalSocketOptions = {
  /** Longest request. */
  readonly limitBytes?: number
  /** For the client to send its request. */
  readonly requestTimeoutMs?: number
}

/** `close` lets the running requests end first. */
export type LocalSocket = { readonly close: () => Promise<void> }

/**
 * Listens for the command line of this machine's own user: a Unix socket of mode 0600, one request
 * and one answer a connection. A socket that a killed process has left is replaced.
 * @throws {CliError} when another process answers at the path.
 */
export const serveLocalSocket = async (
  path: string,
  handle: LocalHandler,
  { limitBytes = 65_536, requestTimeoutMs = 10_000 }: LocalSocketOptions = {},
): Promise<LocalSocket> => {
  await removeStaleSocket(path)
  const idle = new Set<Socket>()
  const server = createServer((socket) => {
    idle.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => idle.delete(socket))
    socket.setTimeout(requestTimeoutMs, () => {
      if (idle.has(socket)) socket.destroy()
    })
    void serveOne(socket, handle, limitBytes, () => idle.delete(socket))
  })
  server.maxConnections = 16
  await listenForOwner(server, path)
  return {
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of idle) socket.destroy()
      await closed
    },
  }
}

const serveOne = async (
  socket: Socket,
  handle: LocalHandler,
  limitBytes: number,
  onRequest: () => void,
): Promise<void> => {
  try {
    const request = await readMessage(socket, limitBytes)
    if (request === undefined) return void socket.destroy()
    onRequest()
    writeMessage(socket, await handle(request))
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    writeMessage(socket, { ok: false, error: { message: `The request was not read: ${message}` } })
  }
  socket.end()
}

// The mode must be right before anybody can connect, so it is the umask that sets it.
const listenForOwner = async (server: Server, path: string): Promise<void> => {
  const before = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(before)
  }
  await once(server, 'listening')
  chmodSync(path, 0o600)
}

const removeStaleSocket = async (path: string): Promise<void> => {
  const peer = await connectLocalSocket(path)
  if (peer === undefined) return rmSync(path, { force: true })
  peer.destroy()
  throw new CliError(`Another process of Tessera answers at ${path}: stop it first`)
}
