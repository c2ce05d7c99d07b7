import { createHash } from 'node:crypto'
import { addSeconds, toNumericDate } from '../clock.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { SigningAlgorithm } from '../oauth/algorithm.ts'
import type { ClaimsRequest } from '../oauth/claims-request.ts'
import type { Scope } from '../oauth/scope.ts'
import { type PersonClaims, selectClaims } from '../oauth/standard-claims.ts'
import type { Authorization } from './authorization.ts'
import type { Subjects } from './subjects.ts'

/** What an ID token is made of, beside the authorization. */
export type IdTokenRequest = {
  readonly authorization: Authorization
  /** Issued beside it; bound to it by `at_hash`. */
  readonly accessToken: string
  readonly algorithm: SigningAlgorithm
  /** All that the client may ever be granted. */
  readonly registeredScope: Scope
  /** `sid`: the sign-in, by which the client will hear of its end. */
  readonly sessionId: string | undefined
  /** Of the authorization request; absent when the token renews an earlier one (Core §12.2). */
  readonly nonce?: string
  readonly claimsRequest?: ClaimsRequest
}

export type IdTokenIssuer = {
  /** Signs an ID token (OpenID Connect Core §2). @throws {TypeError} for an authorization of no user */
  issueIdToken(request: IdTokenRequest): Promise<string>
}

type Options = {
  readonly issuer: string
  readonly lifetimeSeconds: number
  readonly keyRing: Pick<KeyRing, 'sign'>
  readonly subjects: Pick<Subjects, 'subjectOf'>
  /** Asked only when claims about the person were asked for; undefined: there is none any more. */
  readonly findPerson: (userId: string) => Promise<PersonClaims | undefined>
}

/** Whether an ID token belongs to the answer: somebody has signed in, and the scope asks for it. */
export const deservesIdToken = ({ scope, user }: Authorization): boolean =>
  user !== undefined && scope.includes('openid')

export const createIdTokenIssuer = (options: Options): IdTokenIssuer => ({
  async issueIdToken(request) {
    const { authorization, accessToken, algorithm, nonce, sessionId } = request
    const { clientId, subject, user, issuedAt } = authorization
    if (user === undefined) throw new TypeError('an ID token is about a person')
    return options.keyRing.sign(algorithm, 'JWT', {
      ...(await requestedClaims(options, request)),
      iss: options.issuer,
      sub: await options.subjects.subjectOf(clientId, subject),
      aud: clientId,
      iat: toNumericDate(issuedAt),
      exp: toNumericDate(addSeconds(issuedAt, options.lifetimeSeconds)),
      auth_time: toNumericDate(user.authTime),
      amr: user.amr,
      acr: user.acr,
      sid: sessionId,
      nonce,
      at_hash: hashOf(accessToken, algorithm),
    })
  },
})

// What the scope asks for is told by the userinfo endpoint (Core §5.4).
const requestedClaims = async (
  { findPerson }: Options,
  { authorization, claimsRequest, registeredScope }: IdTokenRequest,
): Promise<PersonClaims> => {
  const requested = claimsRequest?.id_token ?? {}
  if (Object.keys(requested).length === 0) return {}
  const person = (await findPerson(authorization.subject)) ?? {}
  return selectClaims(person, [], requested, registeredScope)
}

// Core §3.1.3.6: the left half of the hash that belongs to the algorithm; Ed25519 hashes by SHA-512.
const hashOf = (token: string, algorithm: SigningAlgorithm): string => {
  const hash = createHash(algorithm === 'EdDSA' ? 'sha512' : 'sha256')
    .update(token, 'ascii')
    .digest()
  return hash.subarray(0, hash.length / 2).toString('base64url')
}
