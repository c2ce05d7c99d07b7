import { type Static, Type } from 'typebox'
import { confirmationSchema } from '../confirmation-schema.ts'
import { clientSecurity, formMediaType, tokenForm } from './client-parameters.ts'
import { oauthErrors } from './oauth-error-schema.ts'

const seconds = (description: string) => Type.Optional(Type.Integer({ description }))
const texts = Type.Optional(Type.Array(Type.String()))

/** An allow-list: what else stands in a token is nobody's business here. */
const introspection = Type.Object(
  {
    active: Type.Boolean({
      description: 'Whether the token is good; if not, nothing else is told',
    }),
    scope: Type.Optional(Type.String()),
    client_id: Type.Optional(Type.String()),
    token_type: Type.Optional(Type.Enum(['Bearer', 'DPoP'], { description: 'Of access tokens' })),
    cnf: Type.Optional(confirmationSchema),
    sub: Type.Optional(Type.String({ description: 'A user, or for machines the client' })),
    aud: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())])),
    iss: Type.Optional(Type.String()),
    exp: seconds('Since the epoch, as all times here'),
    iat: seconds('When it was issued'),
    nbf: seconds('Before then it is not good'),
    jti: Type.Optional(Type.String()),
    sid: Type.Optional(Type.String({ description: 'The session that it belongs to' })),
    roles: texts,
    permissions: texts,
    auth_time: seconds('When the user signed in'),
    amr: texts,
    acr: Type.Optional(Type.String({ description: 'How strongly the user signed in' })),
    authorization_details: Type.Optional(
      Type.Array(Type.Record(Type.String(), Type.Unknown()), {
        description: 'What it permits beyond scope (RFC 9396 §9.2)',
      }),
    ),
    act: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'Who acts for the subject, the newest outermost (RFC 8693 §4.1)',
      }),
    ),
  },
  { description: 'What is known of the token (RFC 7662 §2.2)' },
)

export type Introspection = Static<typeof introspection>

/** The same choice for answers that no serializer makes. */
export const permittedMembers = (answer: Introspection): Introspection => {
  const names = Object.keys(introspection.properties)
  const members = Object.entries(answer).filter(([name]) => names.includes(name))
  return { ...Object.fromEntries(members), active: answer.active }
}

export const introspectSchema = {
  summary: 'Ask whether a token is good',
  description:
    'For confidential clients: about their own tokens, and access tokens for audiences that they serve. All else is inactive. The answer is signed for whoever accepts `application/token-introspection+jwt` (RFC 9701).',
  tags: ['OAuth'],
  security: clientSecurity,
  consumes: [formMediaType],
  body: tokenForm,
  response: { 200: introspection, ...oauthErrors() },
}
