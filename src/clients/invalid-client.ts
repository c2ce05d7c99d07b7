import { OAuthError } from '../oauth/error.ts'

/**
 * A failed client authentication. The same to the outside whatever was wrong.
 * @param reason for the log
 * @param basic the client used the Authorization header, and is answered in kind (RFC 6749 §5.2).
 *   Otherwise no challenge: a browser would open its own sign-in box for it.
 */
export const invalidClient = (reason: string, basic: boolean): OAuthError =>
  new OAuthError('invalid_client', 'Client authentication failed', {
    cause: reason,
    ...(basic ? { challenge: 'Basic realm="tessera", charset="UTF-8"' } : {}),
  })
