import { addSeconds, type Clock } from '../clock.ts'
import { OAuthError } from '../oauth/error.ts'
import type { Client } from './client.ts'
import {
  type ClientJwt,
  clientKeyAlgorithms,
  isSignedByOneOf,
  readClientJwt,
} from './client-jwt.ts'
import type { ClientKeys } from './client-keys.ts'
import { maySignWith } from './client-profiles.ts'

type Options = {
  readonly issuer: string
  readonly keys: ClientKeys
  readonly clock: Clock
}

const types = ['jwt', 'oauth-authz-req+jwt']
/** How far a client's clock may be ahead of ours. */
const skewSeconds = 10
const longestLifetimeSeconds = 3600

/**
 * Verifies signed request objects (RFC 9101 §6): that the client made it, for us, now. What it asks
 * for is for others to judge.
 * @returns its members, without those that are about the JWT itself
 * @throws {OAuthError} invalid_request_object
 */
export const createRequestObjectReader =
  ({ issuer, keys, clock }: Options) =>
  async (text: string, client: Client): Promise<Readonly<Record<string, unknown>>> => {
    const jwt = readClientJwt(text)
    if (jwt === undefined) throw refuse('It is not one signed JWT')
    const fault = findFault(jwt, client, issuer, clock())
    if (fault !== undefined) throw refuse(fault)
    const isSought = ({ kid }: { kid?: string }) => jwt.keyId === undefined || kid === jwt.keyId
    if (!(await isSignedByOneOf(jwt, await keys.find(client, isSought)))) {
      throw refuse('None of the keys of the client has signed it')
    }
    const { iss, aud, exp, nbf, iat, jti, sub, ...members } = jwt.claims
    return members
  }

const refuse = (reason: string): OAuthError =>
  new OAuthError('invalid_request_object', `The request object is refused: ${reason}`)

const findFault = (
  { type, algorithm, claims }: ClientJwt,
  client: Client,
  issuer: string,
  now: Date,
): string | undefined => {
  const { iss, sub, aud } = claims
  if (!isAlgorithmOf(client, algorithm)) return 'Its algorithm is not that of the client'
  if (type !== undefined && !types.includes(type)) return 'Its type is that of something else'
  if (iss !== client.id) return 'Its issuer is not the client'
  // One that could be taken for an assertion of the client (RFC 9101 §10.8).
  if (sub === client.id) return 'Its subject must not be the client'
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  return audiences.includes(issuer) ? findFaultInTime(claims, now) : 'It is for somebody else'
}

const isAlgorithmOf = (client: Client, algorithm: string): boolean => {
  const { requestObjectSigningAlg: only } = client.settings
  if (!clientKeyAlgorithms.some((known) => known === algorithm)) return false
  if (!maySignWith(client, algorithm)) return false
  return only === null || only === (algorithm === 'Ed25519' ? 'EdDSA' : algorithm)
}

const findFaultInTime = ({ exp, nbf, iat }: ClientJwt['claims'], now: Date): string | undefined => {
  const seconds = now.getTime() / 1000
  if (typeof exp !== 'number') return 'It does not say when it expires'
  if (exp <= seconds) return 'It has expired'
  if (exp > seconds + longestLifetimeSeconds) return 'It expires too late'
  const latest = addSeconds(now, skewSeconds).getTime() / 1000
  const isEarly = [nbf, iat].some((time) => time !== undefined && !(Number(time) <= latest))
  return isEarly ? 'It is not good yet' : undefined
}
