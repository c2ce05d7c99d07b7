import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import type { Audience } from '../../clients/audience.ts'
import { type SigningAlgorithm, signingAlgorithms } from '../../oauth/algorithm.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { type AdminDeps, actOf, adminProblems, adminRoute } from './admin-deps.ts'

const audienceSchema = Type.Object(
  {
    audience: Type.String(),
    signing_algorithm: Type.Unsafe<SigningAlgorithm | null>({
      type: ['string', 'null'],
      enum: [...signingAlgorithms, null],
      description: "null: the service's default",
    }),
    access_token_ttl_seconds: Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      description: "null: the service's default",
    }),
    scope: Type.Unsafe<string[] | null>({
      type: ['array', 'null'],
      items: { type: 'string' },
      description: 'All that it knows: tokens for it have no others; null: any',
    }),
  },
  { description: 'An audience' },
)

const listSchema = {
  response: {
    200: Type.Object({ audiences: Type.Array(audienceSchema) }, { description: 'By name' }),
    ...problemResponses(...adminProblems),
  },
}

const setSchema = {
  body: Type.Object(
    {
      audience: Type.String(),
      signing_algorithm: Type.Optional(Type.String()),
      access_token_ttl_seconds: Type.Optional(Type.Integer()),
      scope: Type.Optional(Type.Array(Type.String(), { maxItems: 100 })),
    },
    { additionalProperties: false },
  ),
  response: { 200: audienceSchema, ...problemResponses(...adminProblems, ...bodyProblems) },
}

const toWireAudience = (audience: Audience): Static<typeof audienceSchema> => ({
  audience: audience.name,
  signing_algorithm: audience.signingAlgorithm ?? null,
  access_token_ttl_seconds: audience.accessTokenTtlSeconds ?? null,
  scope: audience.scope === undefined ? null : [...audience.scope],
})

/** `GET` and `PUT /admin/audiences`; names are URIs, so they stand in the body. */
export const audiences: FastifyPluginAsyncTypebox<AdminDeps> = async (
  app,
  { audienceAdministration: administration },
) => {
  app.get(
    '/admin/audiences',
    adminRoute('clients.read', 'List audiences with settings of their own', listSchema),
    async () => ({ audiences: (await administration.list()).map(toWireAudience) }),
  )

  app.put(
    '/admin/audiences',
    adminRoute('clients.write', 'Create or replace the settings of an audience', setSchema),
    async (request) => {
      const { audience: name, signing_algorithm, access_token_ttl_seconds, scope } = request.body
      const input = {
        name,
        ...(scope === undefined ? {} : { scope }),
        ...(signing_algorithm === undefined ? {} : { signingAlgorithm: signing_algorithm }),
        ...(access_token_ttl_seconds === undefined
          ? {}
          : { accessTokenTtlSeconds: access_token_ttl_seconds }),
      }
      return toWireAudience(await administration.set(input, actOf(request)))
    },
  )
}
