import { Problem } from '../oauth/problem.ts'
import { isCommonPassword } from '../secrets/common-passwords.ts'
import type { FieldError, Profile } from './fields.ts'

const minLength = 8
const maxLength = 256

/**
 * Whether a new password is long enough and not too long, in characters (code points) exactly as
 * typed (ASVS 5.0 6.2.1, 6.2.8, 6.2.9). There are no composition rules (6.2.5).
 * @param field the member that holds it.
 */
export const checkPasswordLength = (password: string, field: string): FieldError[] => {
  const length = [...password].length
  return length >= minLength && length <= maxLength
    ? []
    : [{ field, message: `must be ${minLength} to ${maxLength} characters` }]
}

/**
 * Refuses a password that others try first, or that the account's own names give away
 * (ASVS 5.0 6.2.4, 6.2.11).
 * @throws {Problem} `password_too_common`
 */
export const refuseCommonPassword = (password: string, profile: Profile): void => {
  const { email, username, name, givenName, familyName } = profile
  const personal = [email, email?.split('@')[0], username, name, givenName, familyName]
  if (
    !isCommonPassword(
      password,
      personal.filter((text) => typeof text === 'string'),
    )
  )
    return
  throw new Problem('password_too_common', {
    detail:
      'This password is among the first that others would try: choose a longer or less usual one, and not your name',
  })
}
