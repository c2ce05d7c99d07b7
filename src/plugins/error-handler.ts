import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { OAuthError } from '../oauth/error.ts'
import type { Problem } from '../oauth/problem.ts'
import { type ErrorFormat, renderError } from './error-answer.ts'
import { translateError } from './error-translation.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How errors that have no format of their own are told; default `problem`. */
    errorFormat?: ErrorFormat
  }
  interface FastifyRequest {
    /** Why the request was refused, for its line in the log. Not for the client. */
    refusal?: { readonly code: string; readonly reason?: string }
  }
}

/** Renders every error of every route, in the route's format; only the log learns the causes. */
export const registerErrorHandler = (app: FastifyInstance): void => {
  app.setErrorHandler((error, request, reply) => {
    const format = request.routeOptions.config?.errorFormat ?? 'problem'
    const send = (thrown: unknown) => sendError(thrown, request, reply, format)
    // Parsing is work too: over the limit that is the answer, whatever is wrong with the body.
    return request.countUnread === undefined
      ? send(error)
      : request.countUnread().then(() => send(error), send)
  })
}

/** Answers a request with an error, and leaves the reason for the log. */
export const sendError = (
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  format: ErrorFormat,
): FastifyReply => {
  const error = translateError(thrown)
  request.refusal = { code: codeOf(error), reason: reasonOf(error) }
  if (error.status === 500) request.log.error({ err: error.cause ?? error }, 'request failed')
  const { pages } = request.server
  if (format === 'page' && pages !== undefined) return pages.sendError(request, reply, error)
  const answer = renderError(error, format, request.id)
  return reply.code(answer.status).headers(answer.headers).send(answer.body)
}

const codeOf = (error: Problem | OAuthError): string =>
  error instanceof OAuthError && error.subCode !== undefined
    ? `${error.code}/${error.subCode}`
    : error.code

const reasonOf = ({ cause }: Problem | OAuthError): string | undefined => {
  if (!(cause instanceof Error)) return typeof cause === 'string' ? cause : undefined
  const reason = isFrameworkError(cause) ? cause.code : cause.message
  return cause.cause instanceof Error ? `${reason}: ${cause.cause.message}` : reason
}

// Their messages quote the request, the tokens in its address included; their codes do not.
const isFrameworkError = (error: Error): error is Error & { readonly code: string } =>
  'code' in error && typeof error.code === 'string' && error.code.startsWith('FST_')
