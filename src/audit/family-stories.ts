import type { AuditLog } from './audit-log.ts'
import { type FamilyStore, type FamilyStory, tellFamilyStory } from './family-story.ts'

export type FamilyStories = {
  /**
   * @param familyId a UUID
   * @returns undefined for a family of which nothing is known any more
   */
  find(familyId: string): Promise<FamilyStory | undefined>
}

/** Events of one family; beyond these the oldest are left out. At most one a minute is written. */
const mostEvents = 500

export const createFamilyStories = (
  families: FamilyStore,
  log: Pick<AuditLog, 'find'>,
): FamilyStories => ({
  async find(familyId) {
    // The row first: an end that comes between the two readings is then told by the log alone.
    const record = await families.find(familyId)
    const { events } = await log.find({ familyId }, { limit: mostEvents })
    if (record === undefined && events.length === 0) return undefined
    return tellFamilyStory(familyId, record, events)
  },
})
