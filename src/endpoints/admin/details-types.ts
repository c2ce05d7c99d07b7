import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { type AdminDeps, actOf, adminProblems, adminRoute } from './admin-deps.ts'

const typeSchema = Type.Object(
  {
    type: Type.String(),
    description: Type.String({ description: 'For the person who is asked to agree' }),
    schema: Type.Record(Type.String(), Type.Unknown(), {
      description: 'JSON Schema of the members of such an object, `type` aside',
    }),
  },
  { description: 'A type of authorization_details (RFC 9396)' },
)

const listSchema = {
  response: {
    200: Type.Object({ types: Type.Array(typeSchema) }, { description: 'By type' }),
    ...problemResponses(...adminProblems),
  },
}

const setSchema = {
  body: Type.Object(
    {
      type: Type.String(),
      description: Type.String(),
      schema: Type.Record(Type.String(), Type.Unknown()),
    },
    { additionalProperties: false },
  ),
  response: { 200: typeSchema, ...problemResponses(...adminProblems, ...bodyProblems) },
}

const removeSchema = {
  params: Type.Object({ type: Type.String() }),
  response: {
    204: Type.Null({ description: 'Removed' }),
    ...problemResponses(...adminProblems, ...bodyProblems, 'not_found'),
  },
}

/** `GET`, `PUT` and `DELETE /admin/authorization-details-types`; a type may be a URI. */
export const detailsTypes: FastifyPluginAsyncTypebox<AdminDeps> = async (
  app,
  { detailsTypeAdministration: administration },
) => {
  const url = '/admin/authorization-details-types'
  app.get(
    url,
    adminRoute('clients.read', 'List types of authorization details', listSchema),
    async () => ({ types: await administration.list() }),
  )

  app.put(
    url,
    adminRoute('clients.write', 'Create or replace a type of authorization details', setSchema),
    async (request) => administration.set(request.body, actOf(request)),
  )

  app.delete(
    `${url}/:type`,
    adminRoute('clients.write', 'Remove a type of authorization details', removeSchema),
    async (request, reply) => {
      await administration.remove(request.params.type, actOf(request))
      return reply.code(204).send(null)
    },
  )
}
