import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import type { OwnScope } from '../oauth/own-scope.ts'
import { Problem, type ProblemCode } from '../oauth/problem.ts'
import type { AccessTokenClaims, AccessTokenVerifier, Verification } from '../tokens/verifier.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The access token that was accepted; read it with `bearerOf`. */
    bearer?: AccessTokenClaims
  }
}

type Refusal = Extract<Verification, { ok: false }>['reason']

const refusals: Record<Refusal, ProblemCode> = {
  malformed: 'invalid_token',
  invalid: 'invalid_token',
  wrong_type: 'wrong_token_type',
  expired: 'expired_token',
  revoked: 'revoked_token',
}

// RFC 6750 §2.1: the scheme, then a b64token.
const bearerForm = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i

/**
 * A hook that lets a request pass only with an access token of a person, meant for this service:
 * the issuer in `aud`, `scope` in `scope`, and `sub` not the client itself. The token is taken from
 * the Authorization header, else from the cookie, which must not be used by another site; never from
 * the query (OAuth 2.1 §5.2).
 * @param alternative a scope that does as well
 * @throws {Problem} each refusal with its own code and its challenge (RFC 6750 §3)
 */
export const requireBearer = (
  verifier: AccessTokenVerifier,
  issuer: string,
  scope: OwnScope,
  alternative?: OwnScope,
): onRequestAsyncHookHandler => {
  const refuse = (code: ProblemCode, error?: string): Problem =>
    new Problem(code, {
      challenge: [
        `Bearer realm="${issuer}"`,
        ...(error === undefined ? [] : [`error="${error}"`]),
        ...(error === 'insufficient_scope' ? [`scope="${scope}"`] : []),
      ].join(', '),
    })

  return async (request) => {
    const presented = presentedToken(request)
    if (presented === undefined) throw refuse('missing_credentials')
    const { token, fromCookie } = presented
    if (token === undefined) throw refuse('malformed_authorization', 'invalid_request')
    const verification = await verifier.verify(token)
    if (!verification.ok) throw refuse(refusals[verification.reason], 'invalid_token')
    if (![scope, alternative].some((one) => isMeantFor(verification.claims, issuer, one))) {
      throw refuse('insufficient_scope', 'insufficient_scope')
    }
    if (fromCookie && !safeMethods.includes(request.method)) {
      await request.server.browserSessions?.requireNoForgery(request, verification.claims.familyId)
    }
    request.bearer = verification.claims
  }
}

// RFC 9110 §9.2.1: they change nothing.
const safeMethods = ['GET', 'HEAD', 'OPTIONS']

/** The access token of a request; without `token` when the header holds none in the right form. */
export const presentedToken = (
  request: FastifyRequest,
): { readonly token: string | undefined; readonly fromCookie: boolean } | undefined => {
  const header = request.headers.authorization
  if (header !== undefined) return { token: bearerForm.exec(header)?.[1], fromCookie: false }
  const cookie = request.server.browserSessions?.read(request, 'access')
  return cookie === undefined ? undefined : { token: cookie, fromCookie: true }
}

const isMeantFor = (
  claims: AccessTokenClaims,
  issuer: string,
  scope: OwnScope | undefined,
): boolean =>
  scope !== undefined &&
  claims.audience.includes(issuer) &&
  claims.scope.includes(scope) &&
  claims.subject !== claims.clientId

/**
 * @returns the claims of the token that `requireBearer` accepted
 * @throws {TypeError} on a route without that hook: a mistake of the program
 */
export const bearerOf = (request: FastifyRequest): AccessTokenClaims => {
  if (request.bearer === undefined) throw new TypeError('this route has no requireBearer hook')
  return request.bearer
}
