import { OAuthError, type OAuthErrorCode } from '../oauth/error.ts'
import { Problem, type ProblemCode } from '../oauth/problem.ts'

/**
 * How a route tells its errors: problem details (RFC 9457), the JSON of RFC 6749 §5.2, or a page for
 * people.
 */
export type ErrorFormat = 'problem' | 'oauth' | 'page'

/** An error as it goes over the wire; a plain value, so that a raw socket can send it too. */
export type ErrorAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Renders an error. An OAuthError keeps its own format wherever it is thrown; a Problem takes the
 * route's.
 * @param requestId shown so that a person can name the request to an operator
 */
export const renderError = (
  error: Problem | OAuthError,
  format: ErrorFormat,
  requestId: string,
): ErrorAnswer => {
  const shown = error instanceof Problem && format === 'oauth' ? toOAuthError(error) : error
  const oauth = shown instanceof OAuthError
  const { retryAfterSeconds } = oauth ? shown : shown.options
  const challenge = oauth ? shown.challenge : challengeOf(shown)
  return {
    status: shown.status,
    headers: {
      'content-type': `application/${oauth ? '' : 'problem+'}json; charset=utf-8`,
      'cache-control': 'no-store',
      ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
    body: JSON.stringify(oauth ? oauthBody(shown, requestId) : problemBody(shown, requestId)),
  }
}

// Every 401 carries a challenge (RFC 9110 §15.5.2).
const challengeOf = ({ status, options }: Problem): string | undefined =>
  options.challenge ?? (status === 401 ? 'Bearer' : undefined)

const problemBody = (problem: Problem, requestId: string) => ({
  // An identifier that leads nowhere and never changes (RFC 9457 §3.1.1).
  type: `urn:tessera:problem:${problem.code}`,
  title: problem.title,
  status: problem.status,
  code: problem.code,
  detail: problem.options.detail,
  errors: problem.options.fields,
  request_id: requestId,
})

const oauthBody = (error: OAuthError, requestId: string) => ({
  error: error.code,
  error_description: toDescription(error.description),
  code: error.subCode,
  request_id: error.status >= 500 ? requestId : undefined,
})

// RFC 6749 §5.2: neither quotes nor backslashes nor anything but printable ASCII.
const toDescription = (text: string): string =>
  text.replaceAll('"', "'").replace(/[^\x20-\x5b\x5d-\x7e]/g, '?')

const oauthCodes: Partial<Record<ProblemCode, OAuthErrorCode>> = {
  internal: 'server_error',
  unavailable: 'temporarily_unavailable',
  // RFC 6749 has no code for it, and this one tells clients to try again.
  too_many_requests: 'temporarily_unavailable',
}

const toOAuthError = (problem: Problem): OAuthError => {
  const { detail, fields, retryAfterSeconds, challenge } = problem.options
  const named = fields?.slice(0, 3).map(({ field, message }) => `${field} ${message}`)
  return new OAuthError(
    oauthCodes[problem.code] ?? 'invalid_request',
    named?.join('; ') ?? detail ?? problem.title,
    { status: problem.status, cause: problem.cause, retryAfterSeconds, challenge },
  )
}
