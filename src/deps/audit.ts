import { createFamilyStories } from '../audit/family-stories.ts'
import type { Foundation } from './foundation.ts'

/** What reads the audit log. */
export const joinAudit = ({ stores }: Foundation) => ({
  auditLog: stores.auditLog,
  familyStories: createFamilyStories(stores.familyRecords, stores.auditLog),
})
