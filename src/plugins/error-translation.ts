import { OAuthError } from '../oauth/error.ts'
import { Problem, type ProblemCode } from '../oauth/problem.ts'
import { Unavailable } from '../oauth/unavailable.ts'
import { type SchemaComplaint, toFields } from './validation-fields.ts'

/** What Fastify's own errors mean to the sender of the request. */
const frameworkErrors: Record<string, readonly [ProblemCode, detail?: string]> = {
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed_body', 'The body is empty'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['malformed_body', 'The body is not valid JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed_body', 'The body is not as long as announced'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['body_too_large'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type'],
  FST_ERR_BAD_URL: ['malformed_request', 'The address cannot be decoded'],
  FST_ERR_MAX_PARAM_LENGTH: ['not_found'],
  FST_ERR_NOT_FOUND: ['not_found'],
}

/**
 * Turns whatever was thrown into an error that may be shown. What is not known becomes `internal`,
 * which tells nothing; the original is the cause, for the log.
 */
export const translateError = (error: unknown): Problem | OAuthError => {
  if (error instanceof Problem || error instanceof OAuthError) return error
  if (error instanceof Unavailable) {
    return new Problem('unavailable', { retryAfterSeconds: error.retryAfterSeconds, cause: error })
  }
  const { code, statusCode, validation, validationContext } = partsOf(error)
  if (validation !== undefined) {
    return new Problem('validation', { fields: toFields(validation, validationContext ?? 'body') })
  }
  const [problemCode, detail] = frameworkErrors[code ?? ''] ?? [byStatus(statusCode)]
  return new Problem(problemCode, { detail, cause: error })
}

type FrameworkError = {
  readonly code?: string
  readonly statusCode?: number
  readonly validation?: readonly SchemaComplaint[]
  readonly validationContext?: string
}

const partsOf = (error: unknown): FrameworkError =>
  error instanceof Error ? (error as FrameworkError) : {}

// Fastify marks a request that broke off while its body was read with 400. Files refuse paths that
// lead out of their folder, and conditions that do not hold, with codes of their own.
const byStatus = (statusCode: number | undefined): ProblemCode => {
  if (statusCode === 400) return 'malformed_body'
  if (statusCode === 403 || statusCode === 404) return 'not_found'
  return statusCode !== undefined && statusCode > 400 && statusCode < 500
    ? 'malformed_request'
    : 'internal'
}
