import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Registry } from 'prom-client'

export type MetricsServer = { readonly address: AddressInfo; close(): Promise<void> }

type Options = {
  readonly host: string
  readonly port: number
  /** The metrics in the text format of Prometheus. */
  readonly read: () => Promise<string>
}

/**
 * `GET /metrics` on a port of its own, which is not for the public.
 * @throws the errors of listening.
 */
export const serveMetrics = async ({ host, port, read }: Options): Promise<MetricsServer> => {
  const server = createServer(answer(read))
  server.requestTimeout = 10_000
  server.maxConnections = 64
  server.listen(port, host)
  await once(server, 'listening')
  return {
    address: server.address() as AddressInfo,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

const answer =
  (read: Options['read']): RequestListener =>
  (request, response) => {
    const path = request.url?.split('?', 1)[0]
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (path !== '/metrics' || !isRead) {
      response.writeHead(isRead ? 404 : 405).end()
      return
    }
    read().then(
      (text) => response.writeHead(200, { 'content-type': contentType }).end(text),
      () => response.writeHead(500).end(),
    )
  }

const contentType = Registry.PROMETHEUS_CONTENT_TYPE
