import type { LoggedEvent } from './audit-log.ts'

/** A refresh-token family as its row tells it; the row is gone some time after the family's end. */
export type FamilyRecord = {
  readonly familyId: string
  readonly userId: string
  readonly clientId: string
  readonly sessionId: string | null
  readonly scope: readonly string[]
  readonly audience: readonly string[]
  readonly offline: boolean
  readonly createdAt: Date
  readonly expiresAt: Date
  /** When it ends unless it is used before. */
  readonly idleUntil: Date
  /** How many tokens it has had: 1 before the first refresh. */
  readonly generation: number
  readonly rotatedAt: Date | null
  readonly lastUsedAt: Date
  readonly revokedAt: Date | null
  readonly revokedReason: string | null
  /** The database's present moment. */
  readonly now: Date
}

export type FamilyStore = {
  /** @returns undefined for a family that never was, or whose row is gone */
  find(familyId: string): Promise<FamilyRecord | undefined>
}

export type Happening = {
  readonly at: Date
  readonly what:
    | 'issued'
    | 'rotated'
    | 'retried_elsewhere'
    | 'refused_foreign'
    | 'reused'
    | 'diverged'
    | 'revoked'
    | 'expired'
  readonly actor: string | null
  readonly address: string | null
  readonly userAgent: string | null
  readonly requestId: string | null
  readonly details: Readonly<Record<string, unknown>>
}

/** What a family is and what happened to it, oldest first. */
export type FamilyStory = {
  readonly familyId: string
  readonly state: 'live' | 'revoked' | 'expired' | 'gone'
  readonly record: FamilyRecord | undefined
  readonly timeline: readonly Happening[]
}

/**
 * Tells a family's story from its row, which has the count of its rotations and the last one, and
 * from the audit log, which has all that was out of the ordinary.
 * @param events those of the family, in any order
 */
export const tellFamilyStory = (
  familyId: string,
  record: FamilyRecord | undefined,
  events: readonly LoggedEvent[],
): FamilyStory => {
  const told = events.flatMap(toHappening)
  const known = new Set(told.map(({ what }) => what))
  const implied = record === undefined ? [] : fromRecord(record, known)
  const timeline = [...told, ...implied].sort(
    (one, other) => one.at.getTime() - other.at.getTime() || rank(one) - rank(other),
  )
  return { familyId, state: stateOf(record), record, timeline }
}

const stateOf = (record: FamilyRecord | undefined): FamilyStory['state'] => {
  if (record === undefined) return 'gone'
  if (record.revokedAt !== null) return 'revoked'
  return endOf(record) <= record.now ? 'expired' : 'live'
}

const endOf = ({ expiresAt, idleUntil }: FamilyRecord): Date =>
  idleUntil < expiresAt ? idleUntil : expiresAt

const happenings: Readonly<Record<string, Happening['what']>> = {
  'family.created': 'issued',
  'family.retried_elsewhere': 'retried_elsewhere',
  'family.refused_foreign': 'refused_foreign',
  'family.reused': 'reused',
  'family.diverged': 'diverged',
  'family.revoked': 'revoked',
}

const toHappening = (event: LoggedEvent): Happening[] => {
  const what = happenings[event.type]
  if (what === undefined) return []
  const { occurredAt: at, actor, address, userAgent, requestId, details } = event
  return [{ at, what, actor, address, userAgent, requestId, details }]
}

/** What nobody writes down: that it was issued long ago, its last rotation, how it ended. */
const fromRecord = (
  record: FamilyRecord,
  known: ReadonlySet<Happening['what']>,
): readonly Happening[] => {
  const { generation, rotatedAt, revokedAt, revokedReason: reason } = record
  const ended = revokedAt === null && endOf(record) <= record.now
  return [
    ...(known.has('issued') ? [] : [happened(record.createdAt, 'issued')]),
    ...(rotatedAt === null ? [] : [happened(rotatedAt, 'rotated', { generation })]),
    ...(revokedAt === null || known.has('revoked')
      ? []
      : [happened(revokedAt, 'revoked', { reason })]),
    ...(ended ? [happened(endOf(record), 'expired')] : []),
  ]
}

const happened = (at: Date, what: Happening['what'], details = {}): Happening => ({
  ...{ at, what, details },
  ...{ actor: null, address: null, userAgent: null, requestId: null },
})

// What happened in one transaction has one time: cause before effect.
const order: readonly Happening['what'][] = ['issued', 'rotated', 'reused', 'diverged', 'revoked']

const rank = ({ what }: Happening): number => {
  const index = order.indexOf(what)
  return index === -1 ? 2 : index * 2
}
