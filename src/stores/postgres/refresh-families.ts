import { sql } from 'kysely'
import type { FamilyView, RefreshFamilyStore } from '../../tokens/family-store.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction } from './database.ts'
import { revokeFamilies } from './family-endings.ts'
import { type GrantRow, grantColumns, sessionLive, toGrant } from './family-grant.ts'
import { createRotations } from './family-rotation.ts'
import { insertRevocations } from './revocation-rows.ts'

export const createRefreshFamilyStore = (
  connection: Connection,
  entryLifetimeSeconds: () => number,
): RefreshFamilyStore => {
  const { db, now } = connection
  return {
    ...createRotations(connection),

    async inspect(familyId) {
      const { rows } = await sql<ViewRow>`
        SELECT ${grantColumns(now)}, f.revoked_at, u.status, ${sessionLive(now)} AS session_live,
          f.last_used_at + f.idle_timeout AS idle_until, f.generation, f.digest, f.successor_salt,
          f.rotated_at, f.rotated_from,
          (SELECT coalesce(json_agg(json_build_array(
              extract(epoch FROM o.started_at), extract(epoch FROM o.ended_at))), '[]')
           FROM outages o WHERE o.ended_at > f.rotated_at) AS outages
        FROM refresh_families f JOIN users u ON u.id = f.user_id
        WHERE f.id = ${familyId}::uuid`.execute(db)
      return rows[0] && toView(rows[0])
    },

    async copyUserVersion(familyId) {
      await sql`
        UPDATE refresh_families f SET user_version = u.version
        FROM users u WHERE u.id = f.user_id AND f.id = ${familyId}::uuid`.execute(db)
    },

    revoke: (familyId, reason, events) =>
      inTransaction(db, async (trx) => {
        const ended = await revokeFamilies(trx, now, sql`f.id = ${familyId}::uuid`, reason)
        if (ended.length === 0) return false
        await insertAuditEvents(trx, now, events)
        const entries = ended.map(({ id }) => ({ kind: 'fam' as const, value: id }))
        await insertRevocations(trx, now, entryLifetimeSeconds(), entries)
        return true
      }),
  }
}

type ViewRow = GrantRow & {
  revoked_at: Date | null
  status: 'active' | 'disabled'
  session_live: boolean
  idle_until: Date
  generation: number
  digest: Uint8Array
  successor_salt: Uint8Array | null
  rotated_at: Date | null
  rotated_from: Uint8Array | null
  outages: [startedAt: number, endedAt: number][]
}

const toView = (row: ViewRow): FamilyView => ({
  grant: toGrant(row),
  state: {
    clientId: row.client_id,
    scope: row.scope,
    audience: row.audience,
    confirmation: row.confirmation,
    revoked: row.revoked_at !== null,
    subjectActive: row.status === 'active',
    sessionLive: row.session_live,
    expiresAt: row.expires_at,
    idleUntil: row.idle_until,
    generation: row.generation,
    digest: Buffer.from(row.digest),
    rotatedAt: row.rotated_at,
    rotatedFrom: row.rotated_from && Buffer.from(row.rotated_from),
  },
  salt: row.successor_salt && Buffer.from(row.successor_salt),
  outages: row.outages.map(([startedAt, endedAt]) => ({
    startedAt: new Date(startedAt * 1000),
    endedAt: new Date(endedAt * 1000),
  })),
})
