import { toNumericDate } from '../clock.ts'
import type { PersonClaims } from '../oauth/standard-claims.ts'
import type { User } from './user.ts'

/**
 * What the service knows of a person, as OpenID Connect Core §5.1 names it. No address has been
 * verified: nobody may take the email address as proof of who somebody is.
 */
export const personClaimsOf = (user: User): PersonClaims => ({
  ...(user.name === null ? {} : { name: user.name }),
  ...(user.givenName === null ? {} : { given_name: user.givenName }),
  ...(user.familyName === null ? {} : { family_name: user.familyName }),
  ...(user.username === null ? {} : { preferred_username: user.username }),
  updated_at: toNumericDate(user.updatedAt),
  email: user.email,
  email_verified: false,
})
