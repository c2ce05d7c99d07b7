import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { proofAlgorithms } from '../dpop/proof.ts'
import type { ProofError } from '../dpop/proof-judgement.ts'
import type { OwnScope } from '../oauth/own-scope.ts'
import { Problem, type ProblemCode } from '../oauth/problem.ts'
import type { AccessTokenClaims, AccessTokenVerifier, Verification } from '../tokens/verifier.ts'
import { requireBinding, spendProof, type TokenScheme } from './token-binding.ts'

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

// RFC 6750 §2.1, RFC 9449 §7.1: the scheme, then a token68.
const headerForm = /^(?:Bearer|DPoP) +([A-Za-z0-9\-._~+/]+=*) *$/i

/**
 * A hook that lets a request pass only with an access token of a person, meant for this service:
 * the issuer in `aud`, `scope` in `scope`, and `sub` not the client itself. The token is taken from
 * the Authorization header, else from the cookie, which must not be used by another site; never from
 * the query (OAuth 2.1 §5.2). One that is bound to a key needs the proof of it.
 * @param alternative a scope that does as well
 * @throws {Problem} each refusal with its own code and its challenge (RFC 6750 §3)
 */
export const requireBearer = (
  verifier: AccessTokenVerifier,
  issuer: string,
  scope: OwnScope,
  alternative?: OwnScope,
): onRequestAsyncHookHandler => {
  return async (request, reply) => {
    const presented = presentedToken(request)
    const scheme = presented?.scheme ?? 'Bearer'
    const refuse = (code: ProblemCode, error?: string, detail?: string): Problem =>
      new Problem(code, {
        challenge: describeChallenge({ scheme, issuer, scope, error }),
        ...(detail === undefined ? {} : { detail }),
      })
    const refuseProof = (error: 'invalid_token' | ProofError, reason: string): Problem =>
      refuse(error, error, reason)
    if (presented === undefined) throw refuse('missing_credentials')
    const { token, fromCookie } = presented
    if (token === undefined) throw refuse('malformed_authorization', 'invalid_request')
    const verification = await verifier.verify(token)
    if (!verification.ok) throw refuse(refusals[verification.reason], 'invalid_token')
    const { claims } = verification
    const proof = await requireBinding(request, reply, { token, scheme, claims }, refuseProof)
    if (![scope, alternative].some((one) => isMeantFor(claims, issuer, one))) {
      throw refuse('insufficient_scope', 'insufficient_scope')
    }
    if (fromCookie && !safeMethods.includes(request.method)) {
      await request.server.browserSessions?.requireNoForgery(request, claims.familyId)
    }
    // Last of all: what is refused for another reason may be sent again.
    await spendProof(request, proof, refuseProof)
    request.bearer = claims
  }
}

type ChallengeParts = {
  readonly scheme: TokenScheme
  readonly issuer: string
  readonly scope: string
  readonly error: string | undefined
}

/** RFC 6750 §3; with what a DPoP client needs to know (RFC 9449 §7.1). */
const describeChallenge = ({ scheme, issuer, scope, error }: ChallengeParts): string =>
  [
    `${scheme} realm="${issuer}"`,
    ...(error === undefined ? [] : [`error="${error}"`]),
    ...(error === 'insufficient_scope' ? [`scope="${scope}"`] : []),
    ...(scheme === 'DPoP' ? [`algs="${proofAlgorithms.join(' ')}"`] : []),
  ].join(', ')

// RFC 9110 §9.2.1: they change nothing.
const safeMethods = ['GET', 'HEAD', 'OPTIONS']

type PresentedToken = {
  readonly token: string | undefined
  readonly scheme: TokenScheme
  readonly fromCookie: boolean
}

/** The access token of a request; without `token` when the header holds none in the right form. */
export const presentedToken = (request: FastifyRequest): PresentedToken | undefined => {
  const header = request.headers.authorization
  if (header !== undefined) {
    const scheme = /^dpop(?: |$)/i.test(header) ? 'DPoP' : 'Bearer'
    return { token: headerForm.exec(header)?.[1], scheme, fromCookie: false }
  }
  const cookie = request.server.browserSessions?.read(request, 'access')
  return cookie === undefined ? undefined : { token: cookie, scheme: 'Bearer', fromCookie: true }
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
