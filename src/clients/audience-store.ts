import type { RecordedEvent } from '../audit/event.ts'
import type { Audience, StoredAudience } from './audience.ts'

export type AudienceStore = {
  /** All that have settings, by name. They are few: an operator makes each. */
  list(): Promise<StoredAudience[]>
  /** Creates or replaces the settings, with the audit event, in one transaction. */
  set(audience: Audience, event: RecordedEvent): Promise<void>
}
