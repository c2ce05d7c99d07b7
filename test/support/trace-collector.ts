import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { Owner } from './run-folder.ts'

type Attribute = { readonly key: string; readonly value: Readonly<Record<string, unknown>> }

/** A span, as OTLP carries it in JSON. */
export type CollectedSpan = {
  readonly service: unknown
  readonly name: string
  readonly traceId: string
  readonly parentSpanId?: string
  readonly status: { readonly code?: number; readonly message?: string }
  readonly attributes: Readonly<Record<string, unknown>>
  readonly events: readonly unknown[]
}

/** A collector of traces (OTLP over HTTP, JSON); it ends with its owner. */
export async function startTraceCollector(owner: Owner) {
  const spans: CollectedSpan[] = []
  const bodies: string[] = []
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      bodies.push(JSON.stringify(body))
      if (request.url === '/v1/traces') spans.push(...readSpans(body))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.teardown(async () => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, spans, bodies }
}

const readSpans = (body: unknown): CollectedSpan[] => {
  const { resourceSpans } = body as {
    resourceSpans: {
      resource: { attributes: Attribute[] }
      scopeSpans: { spans: (Omit<CollectedSpan, 'attributes'> & { attributes: Attribute[] })[] }[]
    }[]
  }
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({
        ...span,
        service: toRecord(resource.attributes)['service.name'],
        attributes: toRecord(span.attributes),
      })),
    ),
  )
}

const toRecord = (attributes: readonly Attribute[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
