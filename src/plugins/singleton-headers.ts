import type { FastifyInstance } from 'fastify'
import { Problem } from '../oauth/problem.ts'

// Node.js takes the first of each and drops the rest; a proxy before it may have taken the last.
const singletons: Readonly<Record<string, string>> = {
  host: 'Host',
  authorization: 'Authorization',
  'content-type': 'Content-Type',
}

/**
 * Refuses requests that can be read in two ways because a header that decides came twice (400;
 * RFC 9112 §3.2 for Host, RFC 9110 §5.3 for the others), and ends their connection.
 */
export const registerSingletonHeaders = (app: FastifyInstance): void => {
  // After the plugins that come before it: scripts may read this refusal too.
  app.after(() => {
    app.addHook('onRequest', (request, reply, done) => {
      const name = findRepeated(request.raw.rawHeaders)
      if (name === undefined) return done()
      reply.header('connection', 'close')
      done(new Problem('malformed_request', { detail: `The header ${name} came more than once` }))
    })
  })
}

/** @param rawHeaders names and values in turn */
const findRepeated = (rawHeaders: readonly string[]): string | undefined => {
  const seen = new Set<string>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = singletons[rawHeaders[index]?.toLowerCase() ?? '']
    if (name === undefined) continue
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}
