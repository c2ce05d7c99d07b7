import type { RecordedEvent } from '../audit/event.ts'

/** A token that lets clients register themselves (RFC 7591 §3), without its secret. */
export type RegistrationToken = {
  /** UUID. */
  readonly id: string
  readonly name: string
  /** null: as often as anybody likes. */
  readonly maxUses: number | null
  readonly uses: number
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly revokedAt: Date | null
}

export type NewRegistrationToken = Pick<RegistrationToken, 'id' | 'name' | 'maxUses'> & {
  readonly digest: Buffer
  readonly ttlSeconds: number
}

/** Each act and its audit event are one transaction. */
export type RegistrationTokenStore = {
  create(token: NewRegistrationToken, event: RecordedEvent): Promise<RegistrationToken>
  /** Newest first; expired ones are there until they are pruned. */
  list(): Promise<RegistrationToken[]>
  /** Idempotent; the event is of the first time. @returns undefined when there is none */
  revoke(id: string, event: RecordedEvent): Promise<RegistrationToken | undefined>
}
