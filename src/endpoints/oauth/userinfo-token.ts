import type { FastifyReply, FastifyRequest } from 'fastify'
import { proofAlgorithms } from '../../dpop/proof.ts'
import { OAuthError, type OAuthErrorCode } from '../../oauth/error.ts'
import { presentedToken } from '../../plugins/bearer.ts'
import { requireBinding, spendProof, type TokenScheme } from '../../plugins/token-binding.ts'
import type { AccessTokenClaims, AccessTokenVerifier } from '../../tokens/verifier.ts'

type Options = { readonly verifier: AccessTokenVerifier; readonly issuer: string }
type Refuse = (code: OAuthErrorCode, description: string, cause?: unknown) => OAuthError

const statuses: Partial<Record<OAuthErrorCode, number>> = {
  invalid_request: 400,
  insufficient_scope: 403,
}

/**
 * The access token of a request for claims, of whatever audience (OpenID Connect Core §5.3.1): in the
 * Authorization header or, of a POST, in the form; never in both (RFC 6750 §2). One that is bound to
 * a key needs the proof of it.
 * @throws {OAuthError} invalid_request, invalid_token, invalid_dpop_proof, use_dpop_nonce,
 *   insufficient_scope, each with its challenge
 */
export const requireOpenidToken = async (
  request: FastifyRequest,
  reply: FastifyReply,
  { verifier, issuer }: Options,
): Promise<AccessTokenClaims> => {
  const scheme = /^dpop(?: |$)/i.test(request.headers.authorization ?? '') ? 'DPoP' : 'Bearer'
  const refuse: Refuse = (code, description, cause) =>
    new OAuthError(code, description, {
      status: statuses[code] ?? 401,
      challenge: describeChallenge(issuer, scheme, code),
      cause,
    })
  const token = tokenOf(request, issuer, refuse)
  const verification = await verifier.verify(token)
  if (!verification.ok) {
    throw refuse('invalid_token', 'The access token is not valid', verification.reason)
  }
  const { claims } = verification
  const proof = await requireBinding(request, reply, { token, scheme, claims }, refuse)
  if (!claims.scope.includes('openid') || claims.subject === claims.clientId) {
    throw refuse('insufficient_scope', 'The access token lacks the scope openid')
  }
  await spendProof(request, proof, refuse)
  return claims
}

const tokenOf = (request: FastifyRequest, issuer: string, refuse: Refuse): string => {
  const { access_token: inForm } = (request.body ?? {}) as { access_token?: string }
  const inHeader = request.headers.authorization !== undefined
  if (inHeader && inForm !== undefined) {
    throw refuse('invalid_request', 'The access token is presented twice')
  }
  if (inForm !== undefined) return inForm
  if (!inHeader) {
    // RFC 6750 §3.1: who did not know that a token is needed is told of no error.
    const options = { status: 401, challenge: describeChallenge(issuer, 'Bearer') }
    throw new OAuthError('invalid_token', 'An access token is needed', options)
  }
  const token = presentedToken(request)?.token
  if (token === undefined) throw refuse('invalid_request', 'The Authorization header is malformed')
  return token
}

/** RFC 6750 §3, RFC 9449 §7.1. */
export const describeChallenge = (
  issuer: string,
  scheme: TokenScheme,
  error?: OAuthErrorCode,
): string =>
  [
    `${scheme} realm="${issuer}"`,
    ...(error === undefined ? [] : [`error="${error}"`]),
    ...(error === 'insufficient_scope' ? ['scope="openid"'] : []),
    ...(scheme === 'DPoP' ? [`algs="${proofAlgorithms.join(' ')}"`] : []),
  ].join(', ')
