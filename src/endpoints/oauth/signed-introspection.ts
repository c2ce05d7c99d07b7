import type { Client } from '../../clients/client.ts'
import { type Clock, toNumericDate } from '../../clock.ts'
import type { KeyRing } from '../../keys/key-ring.ts'
import { isAskedFor } from '../admin/accept.ts'
import type { Introspection } from './introspect-schema.ts'

/** Media type of signed answers (RFC 9701 §5), which is their `typ` too. */
export const signedIntrospection = 'application/token-introspection+jwt'

const byDefault = 'RS256'

/**
 * Whether an answer is to be signed (RFC 9701 §4): where the request asks for that, and for clients
 * that are registered for it, unless they ask for JSON.
 */
export const wantsSignedAnswer = (
  accept: string | undefined,
  { introspectionSignedResponseAlg }: Pick<Client['settings'], 'introspectionSignedResponseAlg'>,
): boolean =>
  isAskedFor(accept, signedIntrospection, 'application/json') ||
  (introspectionSignedResponseAlg !== null &&
    !isAskedFor(accept, 'application/json', signedIntrospection))

type Parts = {
  readonly keyRing: Pick<KeyRing, 'sign'>
  readonly clock: Clock
  readonly config: { readonly issuer: string }
}

/**
 * The answer as a JWT for the client that asks. What the token says stands in a member of its own,
 * so that nobody can take the answer for a token (RFC 9701 §5, §8.1).
 */
export const signIntrospection = (
  { keyRing, clock, config }: Parts,
  { id, settings }: Client,
  introspection: Introspection,
): Promise<string> =>
  keyRing.sign(settings.introspectionSignedResponseAlg ?? byDefault, 'token-introspection+jwt', {
    iss: config.issuer,
    aud: id,
    iat: toNumericDate(clock()),
    token_introspection: introspection,
  })
