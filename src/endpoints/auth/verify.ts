import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import { toNumericDate } from '../../clock.ts'
import { formatScope } from '../../oauth/scope.ts'
import type { AccessTokenClaims, VerificationFailure } from '../../tokens/verifier.ts'
import { confirmationSchema } from '../confirmation-schema.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import type { AuthDeps } from './auth-deps.ts'

const codes = ['expired_token', 'revoked_token', 'wrong_token_type', 'invalid_token'] as const
type InactiveCode = (typeof codes)[number]

const answerSchema = Type.Object(
  {
    active: Type.Boolean(),
    code: Type.Optional(
      Type.Unsafe<InactiveCode>({
        type: 'string',
        enum: codes,
        description: 'Why it is not active',
      }),
    ),
    sub: Type.Optional(Type.String({ description: 'Whose it is' })),
    client_id: Type.Optional(Type.String()),
    scope: Type.Optional(Type.String()),
    aud: Type.Optional(Type.Array(Type.String())),
    iat: Type.Optional(Type.Integer()),
    exp: Type.Optional(Type.Integer()),
    sid: Type.Optional(Type.String({ description: 'The session' })),
    roles: Type.Optional(Type.Array(Type.String())),
    permissions: Type.Optional(Type.Array(Type.String())),
    cnf: Type.Optional(confirmationSchema),
  },
  { description: 'What is known of the token' },
)

const schema = {
  summary: 'Is this access token good, and whose is it?',
  description:
    'Needs no other credential than the token itself, and tells no more than stands in it. Tokens that are not meant for this service are not active here; resource servers ask the introspection endpoint.',
  tags: ['Sign-in'],
  body: Type.Object({ token: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
  response: {
    200: answerSchema,
    ...problemResponses(...bodyProblems),
  },
}

const inactiveCodes: Record<VerificationFailure, InactiveCode> = {
  malformed: 'invalid_token',
  invalid: 'invalid_token',
  wrong_type: 'wrong_token_type',
  expired: 'expired_token',
  revoked: 'revoked_token',
}

/** `POST /auth/verify` */
export const verify: FastifyPluginAsyncTypebox<AuthDeps> = async (app, { config, verifier }) => {
  app.post('/auth/verify', { schema }, async (request) => {
    const verification = await verifier.verify(request.body.token)
    if (!verification.ok) return { active: false, code: inactiveCodes[verification.reason] }
    const { claims } = verification
    return claims.audience.includes(config.issuer)
      ? toAnswer(claims)
      : { active: false, code: 'invalid_token' as const }
  })
}

const toAnswer = (claims: AccessTokenClaims): Static<typeof answerSchema> => ({
  active: true,
  sub: claims.subject,
  client_id: claims.clientId,
  scope: formatScope(claims.scope),
  aud: [...claims.audience],
  iat: toNumericDate(claims.issuedAt),
  exp: toNumericDate(claims.expiresAt),
  ...(claims.sessionId === undefined ? {} : { sid: claims.sessionId }),
  roles: [...claims.roles],
  permissions: [...claims.permissions],
  ...(claims.confirmation === undefined ? {} : { cnf: claims.confirmation }),
})
