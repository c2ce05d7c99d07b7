/** Error codes of the OAuth endpoints (RFC 6749 §5.2, and the RFCs beside). */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'invalid_target' // RFC 8707 §2
  | 'invalid_authorization_details' // RFC 9396 §5
  | 'authorization_pending' // RFC 8628 §3.5, as the next three
  | 'slow_down'
  | 'access_denied'
  | 'unmet_authentication_requirements' // RFC 9470 §5
  | 'expired_token'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_token' // RFC 6750 §3.1, as the next one
  | 'insufficient_scope'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'unsupported_response_type'
  | 'login_required'
  | 'consent_required'
  | 'interaction_required'
  | 'account_selection_required'
  | 'invalid_request_uri'
  | 'invalid_request_object'
  | 'request_not_supported'
  | 'request_uri_not_supported'
  | 'invalid_redirect_uri' // RFC 7591 §3.2.2, as the next two
  | 'invalid_client_metadata'
  | 'unapproved_software_statement'
  | 'temporarily_unavailable'
  | 'server_error'

type OAuthErrorOptions = {
  /** HTTP status; default 400, 401 for invalid_client, 503 for temporarily_unavailable. */
  readonly status?: number
  /** Stable sub-code in the member `code`, such as `reused` beside invalid_grant. */
  readonly subCode?: string
  /** Whole seconds for Retry-After. */
  readonly retryAfterSeconds?: number
  /** Value of WWW-Authenticate. */
  readonly challenge?: string
  /** For the log only. */
  readonly cause?: unknown
}

const statuses: Partial<Record<OAuthErrorCode, number>> = {
  invalid_client: 401,
  temporarily_unavailable: 503,
  server_error: 500,
}

/**
 * An error that an OAuth endpoint tells its client, rendered as RFC 6749 §5.2.
 * `description` is public and never says which credential was wrong; the reason is the `cause`.
 */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode
  readonly description: string
  readonly status: number
  readonly subCode: string | undefined
  readonly retryAfterSeconds: number | undefined
  readonly challenge: string | undefined

  constructor(code: OAuthErrorCode, description: string, options: OAuthErrorOptions = {}) {
    super(`${code}: ${description}`, { cause: options.cause })
    this.name = 'OAuthError'
    this.code = code
    this.description = description
    this.status = options.status ?? statuses[code] ?? 400
    this.subCode = options.subCode
    this.retryAfterSeconds = options.retryAfterSeconds
    this.challenge = options.challenge
  }
}

export const invalidRequest = (description: string, cause?: unknown): OAuthError =>
  new OAuthError('invalid_request', description, { cause })

/** @param subCode why, as a stable word for programs. */
export const invalidGrant = (description: string, subCode?: string, cause?: unknown): OAuthError =>
  new OAuthError('invalid_grant', description, { subCode, cause })
