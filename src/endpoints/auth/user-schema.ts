import { type Static, Type } from 'typebox'
import type { Profile } from '../../accounts/fields.ts'
import type { User } from '../../accounts/user.ts'

/** Text or null. */
export const nullableText = (options: object = {}) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], ...options })

/** Members of an account. */
export const userMembers = {
  id: Type.String({ format: 'uuid', description: '`sub` in tokens' }),
  email: Type.String(),
  username: nullableText(),
  name: nullableText(),
  given_name: nullableText(),
  family_name: nullableText(),
  roles: Type.Array(Type.String()),
  permissions: Type.Array(Type.String(), { description: 'What the roles allow' }),
  status: Type.Unsafe<User['status']>({ type: 'string', enum: ['active', 'disabled', 'deleted'] }),
  created_at: Type.String({ format: 'date-time' }),
  updated_at: Type.String({ format: 'date-time' }),
  last_login_at: nullableText({ format: 'date-time' }),
}

/** An account as the API shows it. */
export const userSchema = Type.Object(userMembers, { $id: 'User', description: 'An account' })

export const userReference = Type.Unsafe<Static<typeof userSchema>>(Type.Ref('User'))

export const toWireUser = (user: User): Static<typeof userSchema> => ({
  id: user.id,
  email: user.email,
  username: user.username,
  name: user.name,
  given_name: user.givenName,
  family_name: user.familyName,
  roles: [...user.roles],
  permissions: [...user.permissions],
  status: user.status,
  created_at: user.createdAt.toISOString(),
  updated_at: user.updatedAt.toISOString(),
  last_login_at: user.lastLoginAt?.toISOString() ?? null,
})

type WireProfile = {
  readonly email?: string
  readonly username?: string | null
  readonly name?: string | null
  readonly given_name?: string | null
  readonly family_name?: string | null
}

/** What a body states about a person; what it does not state stays unstated. */
export const readProfile = (body: WireProfile): Profile => ({
  ...(body.email === undefined ? {} : { email: body.email }),
  ...(body.username === undefined ? {} : { username: body.username }),
  ...(body.name === undefined ? {} : { name: body.name }),
  ...(body.given_name === undefined ? {} : { givenName: body.given_name }),
  ...(body.family_name === undefined ? {} : { familyName: body.family_name }),
})

/** Members of bodies that state a profile. White space around the texts does not count. */
export const emailMember = Type.String({
  description: 'At most 254 characters; unique, however its letters are cased',
  examples: ['jo@example.com'],
})
export const usernameText = '3 to 64 letters, digits, dots, hyphens or underscores; unique'
export const nameText = '1 to 200 characters'

/** A new password, exactly as typed. */
export const newPasswordMember = Type.String({
  minLength: 8,
  maxLength: 256,
  format: 'password',
  description: 'Taken exactly as typed; any characters; not one of the common passwords',
})

/** A password to be checked. */
export const passwordMember = Type.String({ minLength: 1, format: 'password' })
