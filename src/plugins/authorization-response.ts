import type { FastifyReply } from 'fastify'
import type { AuthorizationResponse } from '../authorize/authorization-response.ts'
import { randomToken } from '../secrets/random.ts'
import { formPostPage } from '../views/form-post-page.ts'
import { pageHeaders } from './security-headers.ts'

/**
 * Sends an answer to its client by way of the browser: a 303, which never repeats a POST (RFC 9700
 * §4.12), or a form that posts itself (OAuth 2.0 Form Post Response Mode).
 */
export const sendAuthorizationResponse = (
  reply: FastifyReply,
  { redirectUri, responseMode, parameters }: AuthorizationResponse,
): FastifyReply => {
  if (!responseMode.startsWith('form_post')) {
    const joint = redirectUri.includes('?') ? '&' : '?'
    return reply.redirect(redirectUri + joint + new URLSearchParams(parameters), 303)
  }
  const nonce = randomToken(16)
  reply.headers(
    pageHeaders({
      'form-action': sourceOf(redirectUri),
      'script-src': `'nonce-${nonce}'`,
    }),
  )
  return reply.type('text/html; charset=utf-8').send(formPostPage(redirectUri, parameters, nonce))
}

/** What a Content-Security-Policy calls the place of a redirect URI: its origin, or its scheme. */
export const sourceOf = (redirectUri: string): string => {
  const { origin, protocol } = new URL(redirectUri)
  return origin === 'null' ? protocol : origin
}
