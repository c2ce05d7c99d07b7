import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { pagesOf } from '../../plugins/pages.ts'

const querystring = Type.Object({ v: Type.Optional(Type.String()) })

/** `GET /assets/…`: the stylesheets of the pages. An address with the version never changes. */
export const assets: FastifyPluginAsyncTypebox = async (app) => {
  for (const { path, text, version } of pagesOf(app).stylesheets) {
    const options = { schema: { hide: true, querystring }, config: { rateLimit: false } } as const
    app.get(path, options, async (request, reply) => {
      const caching = request.query.v === version ? 'max-age=31536000, immutable' : 'max-age=3600'
      return reply
        .header('cache-control', `public, ${caching}`)
        .type('text/css; charset=utf-8')
        .send(text)
    })
  }
}
