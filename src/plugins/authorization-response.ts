import type { FastifyReply } from 'fastify'
import type { AuthorizationResponse } from '../authorize/authorization-response.ts'
import { pagesOf } from './pages.ts'

/**
 * Sends an answer to its client by way of the browser: a 303, which never repeats a POST (RFC 9700
 * §4.12), or a form that posts itself (OAuth 2.0 Form Post Response Mode).
 */
export const sendAuthorizationResponse = (
  reply: FastifyReply,
  { redirectUri, responseMode, parameters }: AuthorizationResponse,
): FastifyReply => {
  if (responseMode.startsWith('form_post')) {
    const data = { action: redirectUri, fields: parameters }
    const options = { formTarget: redirectUri, leaves: true }
    return pagesOf(reply.server).send(reply.request, reply, 'form-post', data, options)
  }
  const joint = redirectUri.includes('?') ? '&' : '?'
  return reply.redirect(redirectUri + joint + new URLSearchParams(parameters), 303)
}
