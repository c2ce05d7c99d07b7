import { type RawBuilder, sql } from 'kysely'
import type {
  FamilyGrant,
  FamilyView,
  RefreshFamilyStore,
  Rotation,
} from '../../tokens/family-store.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction } from './database.ts'
import { isLostConnection } from './failure.ts'
import { revokeFamilies } from './family-endings.ts'
import { insertRevocations } from './revocation-rows.ts'
import { permissionsOfUser } from './user-rows.ts'

type Now = () => RawBuilder<Date>

const sessionLive = (now: Now) => sql`(f.offline OR EXISTS (
  SELECT FROM sessions s
  WHERE s.id = f.session_id AND s.ended_at IS NULL AND s.expires_at > ${now()}))`

const grantColumns = (now: Now) => sql`
  f.id, f.session_id, f.user_id, f.client_id, f.offline, f.scope, f.audience, f.auth_time, f.amr,
  f.acr, f.confirmation, f.expires_at, u.roles, ${permissionsOfUser} AS permissions, ${now()} AS at`

// All conditions in one place and in one statement: what this returns is what may be answered.
const usable = (r: Rotation, now: Now) => sql`
  f.id = ${r.familyId}::uuid AND f.generation = ${r.generation} AND f.digest = ${r.digest}
  AND f.client_id = ${r.clientId}
  AND (f.confirmation IS NULL OR f.confirmation = ${r.confirmation}::text)
  AND f.scope @> ${r.scope ?? []}::text[] AND f.audience @> ${r.audience ?? []}::text[]
  AND f.revoked_at IS NULL AND f.expires_at > ${now()}
  AND f.last_used_at + f.idle_timeout > ${now()}
  AND u.id = f.user_id AND u.status = 'active' AND u.version = f.user_version
  AND ${sessionLive(now)}`

const successorOf = (rotation: Rotation): Rotation => ({
  ...rotation,
  generation: rotation.generation + 1,
  digest: rotation.successorDigest,
})

export const createRefreshFamilyStore = (
  { db, now }: Connection,
  entryLifetimeSeconds: () => number,
): RefreshFamilyStore => ({
  async rotate(rotation) {
    const statement = sql<GrantRow>`
      UPDATE refresh_families f
      SET generation = f.generation + 1, digest = ${rotation.successorDigest},
          successor_salt = ${rotation.salt}, rotated_at = ${now()},
          rotated_from = ${rotation.from}, last_used_at = ${now()}
      FROM users u WHERE ${usable(rotation, now)}
      RETURNING ${grantColumns(now)}`
    // A connection lost in mid-update leaves open whether it took effect. Repeated, it either
    // rotates now, or the row holds the successor that nobody else can have derived.
    const ownRotation = sql<GrantRow>`
      SELECT ${grantColumns(now)} FROM refresh_families f, users u
      WHERE ${usable(successorOf(rotation), now)}`
    const { rows } = await statement.execute(db).catch(async (error: unknown) => {
      if (!isLostConnection(error)) throw error
      const repeated = await statement.execute(db)
      return repeated.rows.length > 0 ? repeated : ownRotation.execute(db)
    })
    return rows[0] && toGrant(rows[0])
  },

  async touch(rotation) {
    const { rows } = await sql<GrantRow>`
      UPDATE refresh_families f SET last_used_at = ${now()}
      FROM users u WHERE ${usable(rotation, now)}
      RETURNING ${grantColumns(now)}`.execute(db)
    return rows[0] && toGrant(rows[0])
  },

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
})

type GrantRow = {
  id: string
  session_id: string | null
  user_id: string
  client_id: string
  offline: boolean
  scope: string[]
  audience: string[]
  auth_time: Date
  amr: string[]
  acr: string | null
  confirmation: string | null
  expires_at: Date
  roles: string[]
  permissions: string[]
  at: Date
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

const toGrant = (row: GrantRow): FamilyGrant => ({
  familyId: row.id,
  sessionId: row.session_id,
  userId: row.user_id,
  clientId: row.client_id,
  offline: row.offline,
  scope: row.scope,
  audience: row.audience,
  authTime: row.auth_time,
  amr: row.amr,
  acr: row.acr,
  confirmation: row.confirmation,
  expiresAt: row.expires_at,
  roles: row.roles,
  permissions: row.permissions,
  now: row.at,
})

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
