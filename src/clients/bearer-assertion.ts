import { addSeconds, type Clock } from '../clock.ts'
import type { AssertionIssuer, AssertionIssuerStore } from './assertion-issuer.ts'
import { judgeTimes } from './assertion-judgement.ts'
import {
  type ClientJwt,
  clientKeyAlgorithms,
  isSignedByOneOf,
  readClientJwt,
} from './client-jwt.ts'
import type { ClientKeys } from './client-keys.ts'
import { defaultClientSettings } from './client-settings.ts'

/** An assertion that is signed by an issuer that we believe, for this client and for us. */
export type BearerAssertion = {
  readonly from: AssertionIssuer
  /** As the issuer names it. */
  readonly subject: string
  readonly tokenId: string
  /** It cannot have been used before. */
  readonly issuedAt: Date
  readonly expiresAt: Date
}

/** Why it is not believed: a word for the log. */
export type AssertionRefusal = { readonly fault: string }

export type BearerAssertions = {
  /** Verifies all but that it is used once. */
  read(text: string, clientId: string): Promise<BearerAssertion | AssertionRefusal>
}

type Options = {
  readonly issuers: Pick<AssertionIssuerStore, 'find'>
  readonly keys: ClientKeys
  readonly ownIssuer: string
  readonly clock: Clock
}

const longest = 255
const types = [undefined, 'jwt', 'authorization-grant+jwt']

export const createBearerAssertions = (options: Options): BearerAssertions => ({
  async read(text, clientId) {
    const jwt = readClientJwt(text)
    if (jwt === undefined) return { fault: 'malformed' }
    const { iss } = jwt.claims
    const from = typeof iss === 'string' ? await options.issuers.find(iss) : undefined
    if (from === undefined) return { fault: 'unknown_issuer' }
    if (!from.clients.includes(clientId)) return { fault: 'wrong_client' }
    const judged = judge(jwt, from, options)
    if ('fault' in judged) return judged
    return (await isSigned(options.keys, jwt, from)) ? judged : { fault: 'wrong_signature' }
  },
})

/** What it says (RFC 7523 §3): looked at before its signature, which costs more. */
const judge = (
  { type, algorithm, claims }: ClientJwt,
  from: AssertionIssuer,
  { ownIssuer, clock }: Options,
): BearerAssertion | AssertionRefusal => {
  const { sub, jti, aud } = claims
  // Tokens of other kinds by the same keys are no assertions (RFC 8725 §3.11).
  if (!types.includes(type)) return { fault: 'wrong_type' }
  if (!clientKeyAlgorithms.some((known) => known === algorithm)) return { fault: 'wrong_algorithm' }
  if (!isWord(sub)) return { fault: 'no_subject' }
  if (!isWord(jti)) return { fault: 'no_id' }
  const audiences = [
    ownIssuer,
    ...(from.assertionAudience === 'legacy' ? [`${ownIssuer}/token`] : []),
  ]
  // For us alone: one for several could be shown to us by another.
  const [audience, ...more] = Array.isArray(aud) ? aud : [aud]
  if (more.length > 0 || !audiences.includes(audience)) return { fault: 'wrong_audience' }
  const times = judgeTimes(claims, clock())
  if (typeof times === 'string') return { fault: times }
  if (times.expiresAt > addSeconds(clock(), from.maxLifetimeSeconds)) return { fault: 'too_long' }
  return { from, subject: sub, tokenId: jti, ...times }
}

const isWord = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= longest

const isSigned = async (
  keys: ClientKeys,
  jwt: ClientJwt,
  { jwks, jwksUri }: AssertionIssuer,
): Promise<boolean> => {
  const { keyId } = jwt
  const found = await keys.find(
    { settings: { ...defaultClientSettings, jwks, jwksUri } },
    ({ kid }) => keyId === undefined || kid === keyId,
  )
  return isSignedByOneOf(jwt, found)
}
