import { Type } from 'typebox'

/** Errors of the OAuth endpoints (RFC 6749 §5.2); registered once, so that it is described once. */
export const oauthErrorSchema = Type.Object(
  {
    error: Type.String({ description: 'The code that the specifications define' }),
    error_description: Type.Optional(Type.String({ description: 'For developers; not stable' })),
    code: Type.Optional(
      Type.String({ description: 'Why, more exactly: a stable word, such as `reused`' }),
    ),
    request_id: Type.Optional(Type.String({ description: 'Names the request in the log' })),
  },
  { $id: 'OAuthError', description: 'What went wrong (RFC 6749 §5.2)' },
)

const descriptions = {
  400: 'The request is not valid, or the grant is refused',
  401: 'The client is not authenticated',
  403: 'The request comes from an origin that is not allowed',
  413: 'The body is too large',
  415: 'The body is not a form',
  429: 'Too many requests; try again after Retry-After',
  500: 'Something went wrong',
  503: 'The service cannot answer now; try again after Retry-After',
} as const

type Status = keyof typeof descriptions

const common: readonly Status[] = [400, 401, 413, 415, 500, 503]

/** The error responses of an OAuth endpoint, beside those that every endpoint can give. */
export const oauthErrors = (...extra: readonly Status[]) =>
  Object.fromEntries(
    [...common, ...extra].map((status) => [
      status,
      {
        description: descriptions[status],
        content: { 'application/json': { schema: Type.Ref('OAuthError') } },
      },
    ]),
  ) as Record<Status, object>
