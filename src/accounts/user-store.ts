import type { Act } from '../audit/act.ts'
import type { Profile } from './fields.ts'
import type { GrantOf } from './sign-in-grant.ts'
import type { User, UserReference } from './user.ts'

/** What a password is checked against. */
export type Credentials = {
  readonly userId: string
  /** PHC string; null: no password was ever set. */
  readonly passwordHash: string | null
  /** Moves with every change of the password; an act names the one that it was proved against. */
  readonly credentialEpoch: number
  readonly status: User['status']
}

export type NewUser = Profile & {
  readonly id: string
  readonly email: string
  readonly passwordHash: string | null
  readonly roles: readonly string[]
  /** The password was made by the service, is good for so long, and must be changed first. */
  readonly initialPasswordSeconds?: number
}

export type NameTaken = 'email_taken' | 'username_taken'

export type UserPage = {
  /** Email of the last user of the page before; undefined: from the beginning. */
  readonly after?: string
  readonly limit: number
}

/** What a search asks for; all of it must hold. */
export type UserSearch = {
  /** How the email address, the username or the full name begins. */
  readonly text?: string
  readonly status?: User['status']
  readonly role?: string
  /** Key of the last user of the page before; undefined: from the beginning. */
  readonly after?: string
  readonly limit: number
}

/** In the order of folded email addresses. @param next key to go on after; undefined: no more */
export type FoundUsers = { readonly users: readonly User[]; readonly next: string | undefined }

/** `keep_admin`: the act must not leave the service without an active account that has `admin`. */
export type Safeguard = 'keep_admin'

/**
 * Users. Every change is one transaction with its audit events and, where tokens are affected,
 * with the end of sessions and families and the revocation entries.
 */
export type UserStore = {
  find(reference: UserReference): Promise<User | undefined>
  findCredentials(reference: UserReference): Promise<Credentials | undefined>
  /** In the order of folded email addresses. */
  list(page: UserPage): Promise<User[]>
  search(query: UserSearch): Promise<FoundUsers>
  /** Names of all roles, sorted. */
  roleNames(): Promise<string[]>
  create(user: NewUser, act: Act): Promise<User | NameTaken>
  /**
   * @param credentialEpoch undefined: no password had to be proved.
   * @returns undefined when the user is gone, disabled, or has another password by now.
   */
  update(
    userId: string,
    profile: Profile,
    credentialEpoch: number | undefined,
    act: Act,
  ): Promise<User | NameTaken | undefined>
  /**
   * Ends all sessions but `keptSessionId`, and all families that do not belong to it.
   * @returns false when the user is gone, disabled, or has another password by now.
   */
  changePassword(change: PasswordChange, act: Act): Promise<boolean>
  /** Without proof of the old one; ends all sessions and families. */
  setPassword(userId: string, passwordHash: string, act: Act): Promise<User | undefined>
  /** Ends all sessions and families. Idempotent. */
  disable(userId: string, act: Act, guard?: Safeguard): Promise<Changed>
  /** Idempotent. What was ended stays so. */
  enable(userId: string, act: Act): Promise<User | undefined>
  /** Idempotent. Sessions go on; their next refresh shows the new roles. */
  grantRole(userId: string, role: string, act: Act): Promise<User | undefined>
  revokeRole(userId: string, role: string, act: Act, guard?: Safeguard): Promise<Changed>
  /** Ends all sessions and families; the next sign-in permits nothing but a change. */
  forcePasswordChange(userId: string, act: Act): Promise<User | undefined>
  /** A password that is good for so long, and for a change alone; ends all sessions and families. */
  setInitialPassword(
    userId: string,
    passwordHash: string,
    seconds: number,
    act: Act,
  ): Promise<User | undefined>
  /** Ends all sessions and families, as somebody else than the user. */
  endSessions(userId: string, act: Act): Promise<User | undefined>
  /** Ends all sessions and families, until it is restored. Idempotent; its names stay taken. */
  delete(userId: string, act: Act, guard?: Safeguard): Promise<Changed>
  /** Ends for good what was deleted so many days ago, a batch at a time. @returns how many */
  purge(days: number): Promise<number>
  /** Whether any account, of whatever status, has the role `admin`. */
  hasAdmin(): Promise<boolean>
  /** Of several nodes at once, one makes it. */
  createFirstAdmin(user: NewUser, act: Act): Promise<User | NameTaken | 'has_admin'>
  /** A deleted account is a disabled one again. Idempotent. */
  restore(userId: string, act: Act): Promise<User | undefined>
}

/** undefined: there is no such user. */
export type Changed = User | 'last_admin' | undefined

export type PasswordChange = {
  readonly userId: string
  readonly passwordHash: string
  /** The one that the old password was verified against. */
  readonly credentialEpoch: number
  readonly keptSessionId: string | undefined
  /** What the kept session may do from now on, if it was for this change alone. */
  readonly grantOf: GrantOf
}
