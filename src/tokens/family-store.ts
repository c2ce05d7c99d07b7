import type { RecordedEvent } from '../audit/event.ts'
import type { AuthorizationDetail } from '../oauth/authorization-details.ts'
import type { ClaimsRequest } from '../oauth/claims-request.ts'
import type { Scope } from '../oauth/scope.ts'
import type { Outage } from './outage.ts'
import type { FamilyState } from './refresh-family.ts'

/** What a family's tokens are made of, read fresh from family, session and user. */
export type FamilyGrant = {
  readonly familyId: string
  readonly sessionId: string | null
  readonly userId: string
  readonly clientId: string
  readonly offline: boolean
  readonly scope: Scope
  readonly audience: readonly string[]
  readonly authTime: Date
  readonly amr: readonly string[]
  readonly acr: string | null
  readonly confirmation: string | null
  readonly authorizationDetails: readonly AuthorizationDetail[] | null
  readonly claimsRequest: ClaimsRequest | null
  readonly expiresAt: Date
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  /** The database's time of the statement. */
  readonly now: Date
}

export type Rotation = {
  readonly familyId: string
  /** Generation and digest of the presented secret. */
  readonly generation: number
  readonly digest: Buffer
  readonly clientId: string
  readonly confirmation: string | null
  readonly scope: Scope | undefined
  readonly audience: readonly string[] | undefined
  readonly successorDigest: Buffer
  readonly salt: Buffer
  readonly from: Buffer
}

export type FamilyView = {
  readonly grant: FamilyGrant
  readonly state: Omit<FamilyState, 'outageMs'>
  readonly salt: Buffer | null
  /** Recorded since the last rotation. */
  readonly outages: readonly Outage[]
}

/** One row per family for its whole life (design: refresh-token families). */
export type RefreshFamilyStore = {
  /** One conditional update; undefined when anything speaks against it. */
  rotate(rotation: Rotation): Promise<FamilyGrant | undefined>
  /** As `rotate`, for clients that keep their token: only the last use changes. */
  touch(rotation: Rotation): Promise<FamilyGrant | undefined>
  /** Reads what the update refused, in a statement of its own. */
  inspect(familyId: string): Promise<FamilyView | undefined>
  /** The user's version moved on (a role changed): the family follows. */
  copyUserVersion(familyId: string): Promise<void>
  /** Ends one family with its entry and events, all or nothing. @returns false when it had ended. */
  revoke(familyId: string, reason: string, events: readonly RecordedEvent[]): Promise<boolean>
}
