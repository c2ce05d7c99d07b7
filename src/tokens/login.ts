import type { FamilyGrant } from './family-store.ts'

/** The sign-in by which a person gave an authorization; it must still stand when tokens are made. */
export type Login = {
  readonly userId: string
  readonly sessionId: string
  /** Of the user's credentials when the authorization was given: later ones never gave it. */
  readonly credentialEpoch: number
}

/** How and when the person signed in, as tokens tell it. */
export type Authentication = {
  readonly authTime: Date
  readonly amr: readonly string[]
  readonly acr: string | null
}

/** What a login that still stands gives at this moment, read under its lock. */
export type LoginStanding = Pick<FamilyGrant, 'roles' | 'permissions' | 'now'> & {
  /** Of the users row. */
  readonly version: number
}
