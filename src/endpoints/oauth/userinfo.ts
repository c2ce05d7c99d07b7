import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { personClaimsOf } from '../../accounts/person-claims.ts'
import type { Client } from '../../clients/client.ts'
import type { Deps } from '../../deps.ts'
import { OAuthError } from '../../oauth/error.ts'
import { selectClaims } from '../../oauth/standard-claims.ts'
import { registerFormBody } from '../../plugins/form-body.ts'
import type { AccessTokenClaims } from '../../tokens/verifier.ts'
import { formMediaType } from './client-parameters.ts'
import { oauthErrors } from './oauth-error-schema.ts'
import { describeChallenge, requireOpenidToken } from './userinfo-token.ts'

type UserinfoDeps = Pick<
  Deps,
  'claimsRequests' | 'clients' | 'config' | 'keyRing' | 'userAdministration' | 'verifier'
>

const claims = Type.Object({
  sub: Type.String({ description: 'The same as in the ID token' }),
  name: Type.Optional(Type.String()),
  given_name: Type.Optional(Type.String()),
  family_name: Type.Optional(Type.String()),
  preferred_username: Type.Optional(Type.String()),
  updated_at: Type.Optional(Type.Integer({ description: 'Seconds since the epoch' })),
  email: Type.Optional(Type.String()),
  email_verified: Type.Optional(Type.Boolean()),
})

const schema = {
  summary: 'Claims about the person who signed in',
  description:
    'For access tokens whose scope has `openid`; `profile` and `email` tell more. Clients that are registered for signed answers get `application/jwt`.',
  tags: ['OAuth'],
  security: [{ bearer: [] }],
  response: {
    200: {
      description: 'What the token permits to know (OpenID Connect Core §5.3.2)',
      content: {
        'application/json': { schema: claims },
        'application/jwt': { schema: Type.String({ description: 'The same with iss and aud' }) },
      },
    },
    ...oauthErrors(403),
  },
}

const config = { errorFormat: 'oauth', forClients: true } as const

/** `GET` and `POST /userinfo` (OpenID Connect Core §5.3): what is true of the person now. */
export const userinfo: FastifyPluginAsyncTypebox<UserinfoDeps> = async (app, deps) => {
  registerFormBody(app)
  app.get('/userinfo', { schema, config }, async (request, reply) =>
    answer(deps, request, reply as unknown as FastifyReply),
  )
  const form = Type.Object({
    access_token: Type.Optional(Type.String({ description: 'Where there is no header' })),
  })
  app.post(
    '/userinfo',
    { schema: { ...schema, consumes: [formMediaType], body: form }, config },
    async (request, reply) => answer(deps, request, reply as unknown as FastifyReply),
  )
}

const answer = async (
  deps: UserinfoDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> => {
  const { issuer } = deps.config
  const token = await requireOpenidToken(request, reply, { verifier: deps.verifier, issuer })
  const client = await deps.clients.find(token.clientId)
  const told = client && (await claimsFor(deps, token, client))
  if (client === undefined || told === undefined) {
    const challenge = describeChallenge(issuer, 'Bearer', 'invalid_token')
    throw new OAuthError('invalid_token', 'The access token is not valid', {
      ...{ status: 401, challenge, cause: 'its person or client is gone' },
    })
  }
  request.client = client
  const { userinfoSignedResponseAlg: algorithm } = client.settings
  if (algorithm === null) return told
  const signed = { ...told, iss: issuer, aud: client.id }
  const jwt = await deps.keyRing.sign(algorithm, 'JWT', signed)
  return reply.type('application/jwt').serializer(String).send(jwt)
}

/** @returns undefined when the person may not act any more. */
const claimsFor = async (
  { claimsRequests, userAdministration }: UserinfoDeps,
  { subject, familyId, scope, raw }: AccessTokenClaims,
  client: Client,
) => {
  const user = await userAdministration.findUser(subject)
  if (user?.status !== 'active') return undefined
  const request = familyId === undefined ? null : await claimsRequests.find(familyId)
  const person = selectClaims(personClaimsOf(user), scope, request?.userinfo ?? {}, client.scope)
  return { ...person, sub: raw.sub ?? '' }
}
