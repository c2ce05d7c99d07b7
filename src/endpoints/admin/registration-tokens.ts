import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import type { RegistrationToken } from '../../clients/registration-token.ts'
import { nullableText } from '../auth/user-schema.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { type AdminDeps, actOf, adminProblems, adminRoute } from './admin-deps.ts'

const maxUses = (notes: object = {}) =>
  Type.Unsafe<number | null>({
    type: ['integer', 'null'],
    description: 'Clients that it lets in; null: any number',
    ...notes,
  })

const members = {
  id: Type.String({ format: 'uuid' }),
  name: Type.String({ description: 'Whom it was given to' }),
  max_uses: maxUses(),
  uses: Type.Integer({ description: 'Clients that it has let in' }),
  created_at: Type.String({ format: 'date-time' }),
  expires_at: Type.String({ format: 'date-time' }),
  revoked_at: nullableText({ format: 'date-time' }),
}

export const registrationTokenSchema = Type.Object(members, {
  $id: 'RegistrationToken',
  description: 'A token that lets clients register themselves',
})
const reference = Type.Unsafe<Static<typeof registrationTokenSchema>>(Type.Ref('RegistrationToken'))

/** A token by the names of the wire; never its digest. */
export const toWireToken = (token: RegistrationToken): Static<typeof registrationTokenSchema> => ({
  id: token.id,
  name: token.name,
  max_uses: token.maxUses,
  uses: token.uses,
  created_at: token.createdAt.toISOString(),
  expires_at: token.expiresAt.toISOString(),
  revoked_at: token.revokedAt?.toISOString() ?? null,
})

const listSchema = {
  response: {
    200: Type.Object(
      { registration_tokens: Type.Array(reference) },
      { description: 'Newest first' },
    ),
    ...problemResponses(...adminProblems),
  },
}

const createSchema = {
  body: Type.Object(
    {
      name: Type.String(),
      max_uses: Type.Optional(maxUses({ default: 1 })),
      ttl_seconds: Type.Optional(Type.Integer({ description: '60 to 31536000; default a day' })),
    },
    { additionalProperties: false },
  ),
  response: {
    201: Type.Object(
      { ...members, token: Type.String({ description: 'Shown this once' }) },
      { description: 'The token' },
    ),
    ...problemResponses(...adminProblems, ...bodyProblems),
  },
}

const revokeSchema = {
  params: Type.Object({ id: Type.String() }),
  response: { 200: reference, ...problemResponses(...adminProblems, ...bodyProblems, 'not_found') },
}

/** `/admin/registration-tokens`: by which clients may register themselves (RFC 7591 §3). */
export const registrationTokens: FastifyPluginAsyncTypebox<AdminDeps> = async (
  app,
  { registrationTokenAdministration: administration },
) => {
  const path = '/admin/registration-tokens'

  app.get(path, adminRoute('clients.read', 'List registration tokens', listSchema), async () => ({
    registration_tokens: (await administration.list()).map(toWireToken),
  }))

  app.post(
    path,
    adminRoute('clients.write', 'Let clients register themselves', createSchema),
    async (request, reply) => {
      const { name, max_uses: most, ttl_seconds: ttlSeconds } = request.body
      const input = {
        name,
        ...(most === undefined ? {} : { maxUses: most }),
        ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
      }
      const { registrationToken, token } = await administration.create(input, actOf(request))
      return reply.code(201).send({ ...toWireToken(registrationToken), token })
    },
  )

  app.post(
    `${path}/:id/revoke`,
    adminRoute('clients.write', 'Let nobody register by a token any more', revokeSchema),
    async (request) => toWireToken(await administration.revoke(request.params.id, actOf(request))),
  )
}
