import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import type { AssertionIssuer } from '../../clients/assertion-issuer.ts'
import type { AssertionIssuerInput } from '../../clients/assertion-issuer-administration.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { type AdminDeps, actOf, adminProblems, adminRoute } from './admin-deps.ts'

const texts = Type.Array(Type.String())
const keySet = Type.Record(Type.String(), Type.Unknown(), { description: 'Its keys (RFC 7517)' })

const issuerSchema = Type.Object(
  {
    issuer: Type.String({ description: 'As `iss` has it' }),
    jwks: Type.Union([keySet, Type.Null()]),
    jwks_uri: Type.Union([Type.String(), Type.Null()]),
    clients: texts,
    audience: texts,
    scope: texts,
    subject: Type.String({ enum: ['user', 'external'] }),
    assertion_audience: Type.String({ enum: ['issuer', 'legacy'] }),
    max_lifetime_seconds: Type.Integer(),
  },
  { description: 'Who is believed to speak for subjects by assertions (RFC 7523)' },
)

const bodySchema = Type.Object(
  {
    issuer: Type.String(),
    jwks: Type.Optional(keySet),
    jwks_uri: Type.Optional(Type.String()),
    clients: texts,
    audience: texts,
    scope: Type.Optional(texts),
    subject: Type.String({
      description: 'user: subjects are our user ids; external: they are not',
    }),
    assertion_audience: Type.Optional(Type.String({ description: 'issuer, or legacy' })),
    max_lifetime_seconds: Type.Optional(Type.Integer()),
  },
  { additionalProperties: false },
)

const listSchema = {
  response: {
    200: Type.Object({ issuers: Type.Array(issuerSchema) }, { description: 'By issuer' }),
    ...problemResponses(...adminProblems),
  },
}
const setSchema = {
  body: bodySchema,
  response: { 200: issuerSchema, ...problemResponses(...adminProblems, ...bodyProblems) },
}
const removeSchema = {
  params: Type.Object({ issuer: Type.String() }),
  response: {
    204: Type.Null({ description: 'Removed' }),
    ...problemResponses(...adminProblems, ...bodyProblems, 'not_found'),
  },
}

/** `GET`, `PUT` and `DELETE /admin/assertion-issuers` */
export const assertionIssuers: FastifyPluginAsyncTypebox<AdminDeps> = async (
  app,
  { assertionIssuerAdministration: administration },
) => {
  const url = '/admin/assertion-issuers'
  app.get(
    url,
    adminRoute('clients.read', 'List whose assertions are believed', listSchema),
    async () => ({ issuers: (await administration.list()).map(toWire) }),
  )
  app.put(
    url,
    adminRoute('clients.write', 'Create or replace an issuer of assertions', setSchema),
    async (request) => toWire(await administration.set(toInput(request.body), actOf(request))),
  )
  app.delete(
    `${url}/:issuer`,
    adminRoute('clients.write', 'Remove an issuer of assertions', removeSchema),
    async (request, reply) => {
      await administration.remove(request.params.issuer, actOf(request))
      return reply.code(204).send(null)
    },
  )
}

const toInput = (body: Static<typeof bodySchema>): AssertionIssuerInput => {
  const { jwks_uri, assertion_audience, max_lifetime_seconds, ...rest } = body
  return {
    ...rest,
    ...(jwks_uri === undefined ? {} : { jwksUri: jwks_uri }),
    ...(assertion_audience === undefined ? {} : { assertionAudience: assertion_audience }),
    ...(max_lifetime_seconds === undefined ? {} : { maxLifetimeSeconds: max_lifetime_seconds }),
  }
}

const toWire = (from: AssertionIssuer): Static<typeof issuerSchema> => ({
  issuer: from.issuer,
  jwks: from.jwks && { ...from.jwks },
  jwks_uri: from.jwksUri,
  clients: [...from.clients],
  audience: [...from.audience],
  scope: [...from.scope],
  subject: from.subject,
  assertion_audience: from.assertionAudience,
  max_lifetime_seconds: from.maxLifetimeSeconds,
})
