import { test } from 'tap'
import type { LoggedEvent } from '../../src/audit/audit-log.ts'
import type { AuditEventType } from '../../src/audit/catalogue.ts'
import { type FamilyRecord, tellFamilyStory } from '../../src/audit/family-story.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute))

const record = (rest: Partial<FamilyRecord> = {}): FamilyRecord => ({
  familyId: 'family',
  userId: 'user',
  clientId: 'app',
  sessionId: 'session',
  scope: [],
  audience: [],
  offline: false,
  createdAt: at(0),
  expiresAt: at(1000),
  idleUntil: at(500),
  generation: 1,
  rotatedAt: null,
  lastUsedAt: at(0),
  revokedAt: null,
  revokedReason: null,
  now: at(60),
  ...rest,
})

const event = (type: AuditEventType, minute: number, details = {}): LoggedEvent => ({
  id: `${type} ${minute}`,
  occurredAt: at(minute),
  type,
  severity: 'info',
  outcome: 'success',
  actor: 'app',
  subject: 'user',
  clientId: 'app',
  sessionId: 'session',
  familyId: 'family',
  requestId: 'r1',
  address: '192.0.2.1',
  userAgent: 'Test/1',
  details,
})

const tell = (row: FamilyRecord | undefined, events: readonly LoggedEvent[]) => {
  const { state, timeline } = tellFamilyStory('family', row, events)
  return [state, ...timeline.map(({ what, at: time }) => `${time.getUTCMinutes()} ${what}`)]
}

test('family story: what is written down comes with from where, rotations as their count', async (t) => {
  const { timeline, ...story } = tellFamilyStory(
    'family',
    record({ generation: 9, rotatedAt: at(30) }),
    [event('family.retried_elsewhere', 20), event('family.created', 0)],
  )
  t.strictSame(story, {
    familyId: 'family',
    state: 'live',
    record: record({ generation: 9, rotatedAt: at(30) }),
  })
  const from = { actor: 'app', address: '192.0.2.1', userAgent: 'Test/1', requestId: 'r1' }
  const nowhere = { actor: null, address: null, userAgent: null, requestId: null }
  t.strictSame(timeline, [
    { at: at(0), what: 'issued', ...from, details: {} },
    { at: at(20), what: 'retried_elsewhere', ...from, details: {} },
    { at: at(30), what: 'rotated', ...nowhere, details: { generation: 9 } },
  ])
})

test('family story: what happened at one time is told cause first', async (t) => {
  const revoked = record({ rotatedAt: at(9), revokedAt: at(9), revokedReason: 'reused' })
  t.strictSame(tell(revoked, [event('family.reused', 9), event('family.created', 0)]), [
    'revoked',
    '0 issued',
    '9 rotated',
    '9 reused',
    '9 revoked',
  ])
})

test('family story: what the log no longer holds is told from the row', async (t) => {
  const revoked = record({ revokedAt: at(5), revokedReason: 'user_disabled' })
  const { timeline } = tellFamilyStory('family', revoked, [])
  t.strictSame(
    timeline.map(({ what, details }) => ({ what, details })),
    [
      { what: 'issued', details: {} },
      { what: 'revoked', details: { reason: 'user_disabled' } },
    ],
  )
})

test('family story: what the row no longer holds is told from the log', async (t) => {
  const events = [event('family.revoked', 7), event('family.created', 0)]
  t.strictSame(tell(undefined, events), ['gone', '0 issued', '7 revoked'])
})

test('family story: a revocation is told once', async (t) => {
  const revoked = record({ revokedAt: at(7) })
  t.strictSame(tell(revoked, [event('family.revoked', 7)]), ['revoked', '0 issued', '7 revoked'])
})

test('family story: an end by time is the earlier of both, and comes only when it has come', async (t) => {
  t.strictSame(tell(record({ now: at(499), idleUntil: at(500) }), []), ['live', '0 issued'])
  t.strictSame(tell(record({ now: at(59), idleUntil: at(59) }), []), [
    'expired',
    '0 issued',
    '59 expired',
  ])
  t.strictSame(tell(record({ now: at(59), expiresAt: at(40), idleUntil: at(50) }), []), [
    'expired',
    '0 issued',
    '40 expired',
  ])
})

test('family story: events of other kinds are no part of it', async (t) => {
  t.strictSame(tell(record(), [event('sign_in.failed', 3)]), ['live', '0 issued'])
})
