import type { FastifyInstance } from 'fastify'
import { Problem } from '../oauth/problem.ts'

/** Characters; no request to this service needs more. What exceeds Node.js's own limit is a 431. */
const maximumUrlLength = 8192

/** Refuses addresses that are too long to be meant (414). */
export const registerUrlLimit = (app: FastifyInstance): void => {
  // After the plugins that come before it: scripts may read this refusal too.
  app.after(() => {
    app.addHook('onRequest', (request, _reply, done) => {
      if (request.url.length > maximumUrlLength) done(new Problem('uri_too_long'))
      else done()
    })
  })
}
