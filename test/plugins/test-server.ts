import { type AddressInfo, connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { problemSchema } from '../../src/endpoints/problem-schema.ts'
import { createLogger } from '../../src/plugins/logger.ts'
import { createServer } from '../../src/plugins/server.ts'
import type { ServerConfig } from '../../src/plugins/server-options.ts'

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>>

const defaults: ServerConfig = {
  issuer: 'https://issuer.example',
  corsOrigins: [],
  trustedProxies: [],
  bodyLimitBytes: 4096,
  requestTimeoutMs: 5000,
}

/**
 * All that holds for every request, around the routes of a test.
 * @returns the application, and the lines of its log
 */
export const createTestServer = async (
  t: Test,
  routes: (app: FastifyInstance) => void,
  config: Partial<ServerConfig> = {},
): Promise<{ app: FastifyInstance; log: LogLine[] }> => {
  const log: LogLine[] = []
  const logger = createLogger('debug', { write: (line) => log.push(JSON.parse(line)) })
  const app = createServer({ ...defaults, ...config }, logger)
  app.addSchema(problemSchema)
  app.register(async (scope) => routes(scope))
  t.teardown(() => app.close())
  await app.ready()
  return { app, log }
}

/** Listens on loopback, if it does not yet. */
export const listen = async (app: FastifyInstance): Promise<AddressInfo> => {
  if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 })
  return app.server.address() as AddressInfo
}

/** Sends bytes over a connection of its own. @returns all that comes back until it is closed */
export const sendBytes = async (app: FastifyInstance, bytes: string | Buffer): Promise<string> => {
  const { port } = await listen(app)
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  return Buffer.concat(await socket.toArray()).toString('latin1')
}

/** An HTTP/1.1 answer, taken apart. */
export const parseAnswer = (text: string) => {
  const [head = '', body = ''] = text.split('\r\n\r\n', 2)
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 2),
    ]),
  )
  return { status: Number(statusLine.split(' ')[1]), headers, body }
}
