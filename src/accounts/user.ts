/** A person with an account. The password's hash is not part of it and never leaves the store. */
export type User = {
  /** UUID; `sub` in tokens. */
  readonly id: string
  /** As typed, trimmed; unique however its letters are cased. */
  readonly email: string
  /** Unique however its letters are cased. */
  readonly username: string | null
  readonly name: string | null
  readonly givenName: string | null
  readonly familyName: string | null
  readonly roles: readonly string[]
  /** What the roles allow. */
  readonly permissions: readonly string[]
  /** `deleted`: until it is purged it can be restored, and its names stay taken. */
  readonly status: 'active' | 'disabled' | 'deleted'
  /** Before it is changed, a sign-in permits nothing else. */
  readonly mustChangePassword: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly lastLoginAt: Date | null
  readonly deletedAt: Date | null
}

/** How a person names the account at sign-in. */
export type LoginName = { readonly email: string } | { readonly username: string }

/** How the service finds an account. */
export type UserReference = LoginName | { readonly id: string }

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Whether a text can be the id of a user or session; PostgreSQL refuses to look for any other. */
export const isUuid = (text: string): boolean => uuid.test(text)

/** A text in which either name may stand: usernames hold no `@`, addresses must. */
export const toLoginName = (text: string): LoginName =>
  text.includes('@') ? { email: text } : { username: text }
