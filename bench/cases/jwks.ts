import { runClosedLoop } from '../load/closed-loop.ts'
import { get, repeat } from '../load/request.ts'
import { startTwin } from '../processes/twin.ts'
import type { OpenCase, Phase } from './case.ts'

const path = '/.well-known/jwks.json'

/** `GET /.well-known/jwks.json` without a cached copy. */
export const jwks: OpenCase = async ({ service, connections }) => {
  const document = await (await fetch(`http://127.0.0.1:${service.port}${path}`)).text()
  const twin = await startTwin('bare', [`${document.length}`])
  const run = (port: number, target: string, phase: Phase) => {
    const script = repeat(get(target))
    return runClosedLoop({ ...phase, port, connections, scriptOf: () => script })
  }
  return {
    name: 'JWKS',
    limit: 'Fastify and a text of as many bytes',
    service: (phase) => run(service.port, path, phase),
    twin: (phase) => run(twin.port, '/document', phase),
    close: twin.stop,
  }
}
