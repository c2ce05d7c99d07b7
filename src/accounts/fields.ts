import { Problem, type ProblemOptions } from '../oauth/problem.ts'
import { foldName } from './name-key.ts'
import { isUuid } from './user.ts'

/** What is wrong with one member of a request, by its JSON name. */
export type FieldError = NonNullable<ProblemOptions['fields']>[number]

/** What a person may state about themselves; undefined: not stated, null: cleared. */
export type Profile = {
  readonly email?: string
  readonly username?: string | null
  readonly name?: string | null
  readonly givenName?: string | null
  readonly familyName?: string | null
}

const maxEmailLength = 254
const maxNameLength = 200
const email = /^[^@\p{White_Space}\p{C}]+@[^@\p{White_Space}\p{C}]+$/u
const username = /^[A-Za-z0-9._-]{3,64}$/
// Those that break lines or turn the writing around would garble whatever is shown beside a name;
// the marks that right-to-left names need are not among them.
const controlCharacter = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u

// Nothing but a message that arrives proves an address; this only refuses what cannot be one, in
// the folded form too, so that no compatibility character hides a second @ or a space.
const isEmail = (text: string): boolean =>
  text.length <= maxEmailLength && email.test(text) && email.test(foldName(text))

const isName = (text: string): boolean =>
  text !== '' && [...text].length <= maxNameLength && !controlCharacter.test(text)

const rules = [
  ['email', 'email', isEmail, `must be an email address of at most ${maxEmailLength} characters`],
  [
    'username',
    'username',
    (text: string) => username.test(text),
    'must be 3 to 64 letters, digits, dots, hyphens or underscores',
  ],
  // Operators name an account by either: nobody may be called by the id of somebody else.
  ['username', 'username', (text: string) => !isUuid(text), 'must not have the form of an id'],
  ['name', 'name', isName, `must be 1 to ${maxNameLength} characters`],
  ['givenName', 'given_name', isName, `must be 1 to ${maxNameLength} characters`],
  ['familyName', 'family_name', isName, `must be 1 to ${maxNameLength} characters`],
] as const

/** The same profile without white space around its texts; members not stated stay so. */
export const trimProfile = (profile: Profile): Profile =>
  Object.fromEntries(
    rules.flatMap(([member]) => {
      const text = profile[member]
      return text === undefined ? [] : [[member, text?.trim() ?? null]]
    }),
  )

/** @returns everything that is wrong with a trimmed profile; nothing stated is nothing wrong. */
export const checkProfile = (profile: Profile): FieldError[] =>
  rules.flatMap(([member, field, isGood, message]) => {
    const text = profile[member]
    return text === undefined || text === null || isGood(text) ? [] : [{ field, message }]
  })

/** @throws {Problem} `validation`, when there is anything to refuse. */
export const refuseInvalid = (fields: readonly FieldError[]): void => {
  if (fields.length > 0) throw new Problem('validation', { fields })
}
