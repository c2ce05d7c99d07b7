import { type RawBuilder, sql } from 'kysely'
import type { RecordedEvent } from '../../audit/event.ts'
import type { RevocationEntry, RevocationKind } from '../../revocation/entry.ts'
import { insertAuditEvents } from './audit.ts'
import type { Tx } from './database.ts'
import { revokeFamilies } from './family-endings.ts'
import { endForgottenKeys } from './key-endings.ts'

type Now = () => RawBuilder<Date>
const reason = 'restored'
const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/

/**
 * Ends again what the entries say had ended, in a database that has forgotten it: after a failover
 * that lost writes, or the restore of an older copy. An entry refuses access tokens only, and only
 * for a while; without this the refresh tokens of whoever has signed out would come back to life.
 * Locks users first, as every act on them does, but for the keys, whose acts lock no users.
 */
export const endForgotten = async (
  trx: Tx,
  now: Now,
  entries: readonly RevocationEntry[],
): Promise<void> => {
  const valuesOf = (kind: RevocationKind): string[] =>
    entries.filter((entry) => entry.kind === kind).map(({ value }) => value)
  const idsOf = (kind: RevocationKind): string[] => valuesOf(kind).filter((id) => uuid.test(id))
  const subjects = idsOf('sub')
  const sessions = idsOf('sid')
  const clients = valuesOf('client')

  const keyEvents = await endForgottenKeys(trx, now, valuesOf('kid'), reason)
  const disabledUsers = await disableUsers(trx, now, subjects)
  const disabledClients = await disableClients(trx, now, clients)
  const ended = await sql<{ id: string; user_id: string }>`
    UPDATE sessions SET ended_at = ${now()}, ended_reason = ${reason}
    WHERE (id = ANY (${sessions}::uuid[]) OR user_id = ANY (${subjects}::uuid[]))
      AND ended_at IS NULL
    RETURNING id, user_id`.execute(trx)
  const condition = sql`(f.id = ANY (${idsOf('fam')}::uuid[])
    OR f.session_id = ANY (${sessions}::uuid[]) AND NOT f.offline
    OR f.user_id = ANY (${subjects}::uuid[]) OR f.client_id = ANY (${clients}::text[]))`
  const families = await revokeFamilies(trx, now, condition, reason)
  await insertAuditEvents(trx, now, [
    ...keyEvents,
    ...disabledUsers.map((subject) => describe({ type: 'user.disabled', subject })),
    ...disabledClients.map((clientId) => describe({ type: 'client.disabled', clientId })),
    ...ended.rows.map(({ id, user_id: subject }) =>
      describe({ type: 'session.ended', subject, sessionId: id }),
    ),
    ...families.map(({ id }) => describe({ type: 'family.revoked', familyId: id })),
  ])
}

const describe = (event: Pick<RecordedEvent, 'type'> & Partial<RecordedEvent>): RecordedEvent => ({
  outcome: 'success',
  details: { reason },
  origin: {},
  ...event,
})

const disableUsers = async (trx: Tx, now: Now, ids: readonly string[]): Promise<string[]> => {
  const { rows } = await sql<{ id: string }>`
    UPDATE users SET status = 'disabled', version = version + 1, updated_at = ${now()}
    WHERE id IN (
      SELECT id FROM users WHERE id = ANY (${[...ids]}::uuid[]) AND status = 'active'
      ORDER BY id FOR UPDATE)
    RETURNING id`.execute(trx)
  return rows.map(({ id }) => id)
}

const disableClients = async (trx: Tx, now: Now, ids: readonly string[]): Promise<string[]> => {
  const { rows } = await sql<{ id: string }>`
    UPDATE clients SET disabled_at = ${now()}, updated_at = ${now()}
    WHERE id = ANY (${[...ids]}::text[]) AND disabled_at IS NULL AND NOT built_in
    RETURNING id`.execute(trx)
  return rows.map(({ id }) => id)
}
