import type { RecordedEvent } from '../audit/event.ts'

/** Who administers something, and from where, as the audit log names it. */
export type Act = Required<Pick<RecordedEvent, 'actor' | 'origin'>>
