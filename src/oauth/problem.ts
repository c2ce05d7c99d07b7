/**
 * Every problem of the first-party API: code → status and title (RFC 9457). The codes are stable;
 * programs decide by them, never by the texts.
 */
export const problems = {
  validation: [400, 'The request is not valid'],
  malformed_request: [400, 'The request cannot be read'],
  malformed_body: [400, 'The body cannot be read'],
  malformed_authorization: [400, 'The Authorization header is malformed'],
  missing_credentials: [401, 'No credentials were sent'],
  invalid_token: [401, 'The access token is not valid'],
  expired_token: [401, 'The access token has expired'],
  wrong_token_type: [401, 'This kind of token is not accepted here'],
  invalid_dpop_proof: [401, 'The DPoP proof is not valid'],
  use_dpop_nonce: [401, 'The DPoP proof needs a nonce of the service'],
  revoked_token: [401, 'The access token was revoked'],
  invalid_credentials: [401, 'The name or the password is wrong'],
  invalid_refresh_token: [401, 'The refresh token is not valid'],
  revoked_refresh_token: [401, 'The refresh token was revoked'],
  reused_refresh_token: [401, 'The refresh token was used before; its family has been ended'],
  expired_refresh_token: [401, 'The refresh token has expired'],
  wrong_password: [403, 'The current password is wrong'],
  untrusted_origin: [403, 'The request comes from an origin that is not allowed'],
  invalid_csrf_token: [403, 'The X-CSRF-Token header does not belong to the session'],
  insufficient_scope: [403, 'The token is not meant for this'],
  permission_denied: [403, 'The account does not have the permission for this'],
  password_change_required: [403, 'The password must be changed first'],
  registration_closed: [403, 'Registration is closed'],
  not_found: [404, 'There is no such resource'],
  method_not_allowed: [405, 'The method is not supported here'],
  request_timeout: [408, 'The request took too long to arrive'],
  email_taken: [409, 'The email address is already registered'],
  username_taken: [409, 'The username is already taken'],
  last_admin: [409, 'Nobody else could administer the service'],
  own_account: [409, 'Administrators cannot do this to their own account'],
  role_in_use: [409, 'Accounts have the role'],
  conflict: [409, 'The request conflicts with the present state'],
  interaction_expired: [410, 'The request has expired or was answered already'],
  body_too_large: [413, 'The body is too large'],
  uri_too_long: [414, 'The address is too long'],
  unsupported_media_type: [415, 'The content type is not supported'],
  password_too_common: [422, 'The password is too common'],
  too_many_attempts: [429, 'Too many attempts failed; try again later'],
  too_many_requests: [429, 'Too many requests; try again later'],
  headers_too_large: [431, 'The headers are too large'],
  internal: [500, 'Something went wrong'],
  unavailable: [503, 'The service cannot answer now'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ProblemCode = keyof typeof problems

export type ProblemOptions = {
  /** What is wrong this time, in a sentence for a person. Public. */
  readonly detail?: string
  /** The members of the request that are wrong, by JSON name. */
  readonly fields?: readonly { readonly field: string; readonly message: string }[]
  /** Whole seconds for Retry-After. */
  readonly retryAfterSeconds?: number
  /** Value of WWW-Authenticate. */
  readonly challenge?: string
  /** For the log only. */
  readonly cause?: unknown
}

/** An error of the first-party API, rendered as `application/problem+json` (RFC 9457). */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly title: string
  readonly options: ProblemOptions

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(options.detail ?? problems[code][1], { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.status = problems[code][0]
    this.title = problems[code][1]
    this.options = options
  }
}
