import { OAuthError } from '../oauth/error.ts'
import type { RegistrationFault } from './registration-rule.ts'

const toText = ({ field, message }: RegistrationFault): string => `${field} ${message}`

/** All faults of metadata as one error (RFC 7591 §3.2.2). @param cause for the log only */
export const invalidMetadata = (
  faults: readonly RegistrationFault[],
  cause?: unknown,
): OAuthError => {
  const isOfRedirect = faults.some(({ field }) => /^redirect_uris\b/.test(field))
  return new OAuthError(
    isOfRedirect ? 'invalid_redirect_uri' : 'invalid_client_metadata',
    faults.slice(0, 10).map(toText).join('; '),
    { cause },
  )
}

/** RFC 7591 §3.2.2: we trust nobody to speak for others. */
export const unapprovedStatement = (): OAuthError =>
  new OAuthError('unapproved_software_statement', 'Software statements are not accepted')

/**
 * The same for every token that does not open what was asked for: whether the client exists is not
 * told (RFC 7592 §2.1).
 * @param realm of the challenge (RFC 6750 §3)
 * @param presented whether there was a token at all
 */
export const invalidRegistrationToken = (realm: string, presented: boolean): OAuthError =>
  new OAuthError('invalid_token', 'A valid token for this registration is needed', {
    status: 401,
    challenge: `Bearer realm="${realm}"${presented ? ', error="invalid_token"' : ''}`,
  })
