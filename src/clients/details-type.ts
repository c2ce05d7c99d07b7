import type { RecordedEvent } from '../audit/event.ts'
import type { DetailSchema } from '../oauth/detail-schema.ts'

/** A type of `authorization_details` that clients may be allowed to ask for (RFC 9396 §2). */
export type DetailsType = {
  readonly type: string
  /** For the person who is asked to agree. */
  readonly description: string
  /** Of all members but `type`. */
  readonly schema: DetailSchema
}

export type DetailsTypeStore = {
  /** By type. They are few: an operator makes each. */
  list(): Promise<DetailsType[]>
  /** Creates or replaces one, with the audit event, in one transaction. */
  set(detailsType: DetailsType, event: RecordedEvent): Promise<void>
  /** @returns false when there is none; then nothing is audited. */
  remove(type: string, event: RecordedEvent): Promise<boolean>
}
