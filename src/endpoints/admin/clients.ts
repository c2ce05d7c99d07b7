import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { type AdminDeps, actOf, adminProblems, adminRoute, orEmptyBody } from './admin-deps.ts'
import { readClientChange, readRegistration } from './client-body.ts'
import {
  changeableMembers,
  clientReference,
  clientWithSecretReference,
  toWireClient,
  toWireClientWithSecret,
} from './client-schema.ts'

const params = Type.Object({ id: Type.String() })
const bodied = problemResponses(...adminProblems, ...bodyProblems, 'not_found', 'conflict')

const listSchema = {
  response: {
    200: Type.Object({ clients: Type.Array(clientReference) }, { description: 'Oldest first' }),
    ...problemResponses(...adminProblems),
  },
}

const createSchema = {
  body: Type.Object(
    {
      client_id: Type.Optional(Type.String({ description: 'A random one by default' })),
      client_name: Type.String(),
      token_endpoint_auth_method: Type.Optional(Type.String()),
      ...changeableMembers,
    },
    { additionalProperties: false },
  ),
  response: {
    201: clientWithSecretReference,
    ...problemResponses(...adminProblems, ...bodyProblems, 'conflict'),
  },
}

const updateSchema = {
  params,
  body: Type.Object(
    { client_name: Type.Optional(Type.String()), ...changeableMembers },
    { additionalProperties: false },
  ),
  response: { 200: clientReference, ...bodied },
}

const rotateSchema = {
  params,
  body: Type.Object(
    {
      overlap_seconds: Type.Optional(
        Type.Integer({
          description: 'How long earlier secrets are still good; one day by default, 30 at most',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  response: { 200: clientWithSecretReference, ...bodied },
}

const showSchema = {
  params,
  response: { 200: clientReference, ...problemResponses(...adminProblems, 'not_found') },
}

/** Without a body. */
const actSchema = { params, response: { 200: clientReference, ...bodied } }

/** `/admin/clients`: applications and machines. */
export const clients: FastifyPluginAsyncTypebox<AdminDeps> = async (
  app,
  { clientAdministration: administration },
) => {
  app.get('/admin/clients', adminRoute('clients.read', 'List clients', listSchema), async () => ({
    clients: (await administration.list()).map(toWireClient),
  }))

  app.get(
    '/admin/clients/:id',
    adminRoute('clients.read', 'Show a client', showSchema),
    async (request) => toWireClient(await administration.show(request.params.id)),
  )

  app.post(
    '/admin/clients',
    adminRoute('clients.write', 'Register a client', createSchema),
    async (request, reply) => {
      const { client_id: id, client_name: name, ...rest } = request.body
      const { token_endpoint_auth_method: authenticationMethod } = rest
      const created = await administration.create(
        {
          ...readRegistration(rest),
          ...{ name, ...(id === undefined ? {} : { id }) },
          ...(authenticationMethod === undefined ? {} : { authenticationMethod }),
        },
        actOf(request),
      )
      return reply.code(201).send(toWireClientWithSecret(created))
    },
  )

  app.patch(
    '/admin/clients/:id',
    adminRoute('clients.write', 'Change what is stated of a client', updateSchema),
    async (request) => {
      const change = readClientChange(request.body)
      return toWireClient(await administration.update(request.params.id, change, actOf(request)))
    },
  )

  app.post(
    '/admin/clients/:id/rotate-secret',
    {
      ...adminRoute('clients.write', 'Add a secret, and let earlier ones end', rotateSchema),
      preValidation: orEmptyBody,
    },
    async (request) => {
      const { overlap_seconds: overlap } = request.body
      const { id } = request.params
      return toWireClientWithSecret(await administration.rotateSecret(id, actOf(request), overlap))
    },
  )

  for (const act of ['disable', 'enable'] as const) {
    app.post(
      `/admin/clients/:id/${act}`,
      adminRoute('clients.write', summaries[act], actSchema),
      async (request) => toWireClient(await administration[act](request.params.id, actOf(request))),
    )
  }
}

const summaries = {
  disable: 'Refuse a client and its tokens, and end its families',
  enable: 'Let a disabled client ask for tokens again',
}
