import type { FastifyRequest } from 'fastify'
import type { Self } from '../../accounts/own-account.ts'
import type { Deps } from '../../deps.ts'
import { bearerOf } from '../../plugins/bearer.ts'

/** What the first-party API works with. */
export type AuthDeps = Pick<
  Deps,
  'accounts' | 'auditLog' | 'clients' | 'config' | 'knownDevices' | 'refresher' | 'verifier'
>

/** The person whose access token the route has accepted. */
export const selfOf = (request: FastifyRequest): Self => {
  const { subject, sessionId } = bearerOf(request)
  return { userId: subject, sessionId }
}

/** A hook for routes of which no member has to be given. */
export const allowNoBody = async (request: FastifyRequest): Promise<void> => {
  if (request.body === undefined) request.body = {}
}

/** Routes that need an access token, in the description of the API. */
export const bearerSecurity: readonly Readonly<Record<string, readonly string[]>>[] = [
  { bearer: [] },
  { cookie: [], csrf: [] },
]

/** What such a route may answer when the token does not do. */
export const bearerProblems = [
  'malformed_authorization',
  'missing_credentials',
  'invalid_token',
  'expired_token',
  'wrong_token_type',
  'revoked_token',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'insufficient_scope',
  'untrusted_origin',
  'invalid_csrf_token',
] as const
