import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { jwksCacheControl } from '../../keys/jwks.ts'
import { problemResponses } from '../problem-schema.ts'

const schema = {
  summary: 'The public keys',
  description: 'Keys that access tokens may be signed with (RFC 7517). Cacheable, with an ETag.',
  tags: ['Service'],
  response: {
    200: Type.Object(
      { keys: Type.Array(Type.Object({}, { additionalProperties: true })) },
      { description: 'A JWK Set' },
    ),
    304: Type.Null({ description: 'Not changed since the ETag in If-None-Match' }),
    ...problemResponses(),
  },
}

/** `GET /.well-known/jwks.json`, from memory. */
export const jwks: FastifyPluginAsyncTypebox<Pick<Deps, 'keyRing'>> = async (app, { keyRing }) => {
  const options = { schema, config: { publicData: true, rateLimit: false } } as const
  app.get('/.well-known/jwks.json', options, async (request, reply) => {
    const { body, etag } = keyRing.jwks()
    reply.headers({ etag, 'cache-control': jwksCacheControl })
    if (names(request.headers['if-none-match'], etag)) return reply.code(304).send(null)
    // The bytes that the ETag was made of, so no serializer may touch them.
    return reply
      .type('application/json')
      .serializer(String)
      .send(body as never)
  })
}

// RFC 9110 §13.1.2: a list, or `*`; compared weakly.
const names = (header: string | undefined, etag: string): boolean =>
  (header ?? '').split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')))
