import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { invalidMetadata, unapprovedStatement } from '../../clients/registration-errors.ts'
import type { Deps } from '../../deps.ts'
import { OAuthError } from '../../oauth/error.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { type SchemaComplaint, toFields } from '../../plugins/validation-fields.ts'
import {
  metadataSchema,
  readMetadata,
  registeredSchema,
  toRegistered,
  withoutNulls,
} from './client-metadata.ts'
import { oauthErrors } from './oauth-error-schema.ts'

type RegistrationDeps = Pick<Deps, 'config' | 'selfRegistration' | 'registrationManagement'>

/** Where clients register themselves; each is managed below. */
export const registrationPath = '/connect/register'

const tags = ['OAuth']
const ok = registeredSchema
const security: Record<string, string[]>[] = [{ bearer: [] }, {}]
const config = { errorFormat: 'oauth', rateLimit: 'registration' } as const

const registerSchema = {
  summary: 'Register a client',
  description:
    'By an initial access token, unless registration is open (RFC 7591). Unknown members are ignored.',
  ...{ tags, security, body: metadataSchema },
  response: { 201: ok, ...oauthErrors() },
}

const params = Type.Object({ clientId: Type.String() })
const managed = { ...{ tags, params }, security: [{ bearer: [] }] }

const replaced = Type.Object({
  client_id: Type.String({ description: 'The same as in the address' }),
  client_secret: Type.Optional(Type.String({ description: 'If stated, the present one' })),
  ...metadataSchema.properties,
})

/** `POST /connect/register` (RFC 7591), and what clients do with their registration (RFC 7592). */
export const clientRegistration: FastifyPluginAsyncTypebox<RegistrationDeps> = async (
  app,
  deps,
) => {
  const { selfRegistration, registrationManagement: management } = deps
  if (selfRegistration === undefined) return
  const uriOf = (id: string): string => `${deps.config.issuer}${registrationPath}/${id}`
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })
  const bodied = { config, attachValidation: true, preValidation: dropNulls }

  app.post(registrationPath, { schema: registerSchema, ...bodied }, async (request, reply) => {
    refuseFaulty(request)
    const registered = await selfRegistration.register(
      readMetadata(request.body),
      tokenOf(request),
      originOf(request),
    )
    const { client, secret, accessToken: token } = registered
    return reply.code(201).send(toRegistered(client, { uri: uriOf(client.id), token }, secret))
  })

  const one = `${registrationPath}/:clientId`
  const readSchema = {
    ...managed,
    summary: 'Read the own registration',
    response: { 200: ok, ...oauthErrors() },
  }
  app.get(one, { schema: readSchema, config }, async (request) => {
    const token = tokenOf(request)
    const client = await management.read(request.params.clientId, token)
    return toRegistered(client, { uri: uriOf(client.id), token: token ?? '' }, undefined)
  })

  const replaceSchema = {
    ...managed,
    summary: 'Replace the own registration',
    description: 'As a whole: what is left out has its default (RFC 7592 §2.2).',
    body: replaced,
    response: { 200: ok, ...oauthErrors() },
  }
  app.put(one, { schema: replaceSchema, ...bodied }, async (request) => {
    const token = tokenOf(request)
    const { clientId } = request.params
    // Before anything is said about the body: who may not ask is told nothing else.
    await management.read(clientId, token)
    refuseFaulty(request)
    refuseForeign(request.body, clientId)
    const { client, secret } = await management.replace(
      clientId,
      token,
      readMetadata(request.body),
      originOf(request),
    )
    return toRegistered(client, { uri: uriOf(clientId), token: token ?? '' }, secret)
  })

  const removeSchema = {
    ...managed,
    summary: 'End the own registration',
    description: 'With all that the client was granted.',
    response: { 204: Type.Null({ description: 'It is gone' }), ...oauthErrors() },
  }
  app.delete(one, { schema: removeSchema, config }, async (request, reply) => {
    await management.remove(request.params.clientId, tokenOf(request), originOf(request))
    return reply.code(204).send(null)
  })
}

const dropNulls = async (request: FastifyRequest): Promise<void> => {
  request.body = withoutNulls(request.body)
}

/** The token of the header; one that cannot be read opens nothing, as any other wrong one. */
const tokenOf = ({ headers }: FastifyRequest): string | undefined =>
  headers.authorization === undefined
    ? undefined
    : (/^Bearer +(\S+) *$/i.exec(headers.authorization)?.[1] ?? '')

/** What the schema has found; a software statement is refused whatever else is said. */
const refuseFaulty = ({ body, validationError }: FastifyRequest): void => {
  if (typeof body === 'object' && body !== null && Object.hasOwn(body, 'software_statement')) {
    throw unapprovedStatement()
  }
  if (validationError === undefined) return
  const complaints = (validationError.validation ?? []) as readonly SchemaComplaint[]
  throw invalidMetadata(toFields(complaints, 'the body'))
}

const ofTheServer = [
  ...['registration_access_token', 'registration_client_uri'],
  ...['client_secret_expires_at', 'client_id_issued_at'],
]

/** RFC 7592 §2.2: the client names itself, and nothing that is not its own to say. */
const refuseForeign = (body: { readonly client_id: string }, clientId: string): void => {
  const named = ofTheServer.filter((name) => Object.hasOwn(body, name))
  if (named.length > 0) {
    throw invalidMetadata(named.map((field) => ({ field, message: 'must not be stated' })))
  }
  if (body.client_id === clientId) return
  throw new OAuthError('invalid_client_metadata', 'client_id is not the client of the address')
}
