import { sql } from 'kysely'
import type { RefreshFamilyStore, Rotation } from '../../tokens/family-store.ts'
import { compileOnce, type Place } from './compiled-statement.ts'
import type { Connection } from './database.ts'
import { isLostConnection } from './failure.ts'
import { type GrantRow, grantColumns, type Now, sessionLive, toGrant } from './family-grant.ts'

// All conditions in one place and in one statement: what this returns is what may be answered.
const usable = (given: Place<Rotation>, now: Now) => sql`
  f.id = ${given((r) => r.familyId)}::uuid AND f.generation = ${given((r) => r.generation)}
  AND f.digest = ${given((r) => r.digest)} AND f.client_id = ${given((r) => r.clientId)}
  AND (f.confirmation IS NULL OR f.confirmation = ${given((r) => r.confirmation)}::text)
  AND f.scope @> ${given((r) => r.scope ?? [])}::text[]
  AND f.audience @> ${given((r) => r.audience ?? [])}::text[]
  AND f.revoked_at IS NULL AND f.expires_at > ${now()}
  AND f.last_used_at + f.idle_timeout > ${now()}
  AND u.id = f.user_id AND u.status = 'active' AND u.version = f.user_version
  AND ${sessionLive(now)}`

const successorOf = (rotation: Rotation): Rotation => ({
  ...rotation,
  generation: rotation.generation + 1,
  digest: rotation.successorDigest,
})

const rotateStatement = ({ now: nowAt }: Connection) =>
  compileOnce<Rotation, GrantRow>((given) => {
    const now = () => nowAt(given)
    return sql`
      UPDATE refresh_families f
      SET generation = f.generation + 1, digest = ${given((r) => r.successorDigest)},
          successor_salt = ${given((r) => r.salt)}, rotated_at = ${now()},
          rotated_from = ${given((r) => r.from)}, last_used_at = ${now()}
      FROM users u WHERE ${usable(given, now)}
      RETURNING ${grantColumns(now)}`
  })

const touchStatement = ({ now: nowAt }: Connection) =>
  compileOnce<Rotation, GrantRow>((given) => {
    const now = () => nowAt(given)
    return sql`
      UPDATE refresh_families f SET last_used_at = ${now()}
      FROM users u WHERE ${usable(given, now)}
      RETURNING ${grantColumns(now)}`
  })

const readUsableStatement = ({ now: nowAt }: Connection) =>
  compileOnce<Rotation, GrantRow>((given) => {
    const now = () => nowAt(given)
    return sql`
      SELECT ${grantColumns(now)} FROM refresh_families f, users u
      WHERE ${usable(given, now)}`
  })

/** The statements that look for a family by all that a rotation must prove. */
export const createRotations = (
  connection: Connection,
): Pick<RefreshFamilyStore, 'rotate' | 'touch'> => {
  const { db } = connection
  const rotate = rotateStatement(connection)
  const touch = touchStatement(connection)
  const readUsable = readUsableStatement(connection)
  return {
    async rotate(rotation) {
      // A connection lost in mid-update leaves open whether it took effect. Repeated, it either
      // rotates now, or the row holds the successor that nobody else can have derived.
      const { rows } = await rotate(db, rotation).catch(async (error: unknown) => {
        if (!isLostConnection(error)) throw error
        const repeated = await rotate(db, rotation)
        return repeated.rows.length > 0 ? repeated : readUsable(db, successorOf(rotation))
      })
      return rows[0] && toGrant(rows[0])
    },
    async touch(rotation) {
      const { rows } = await touch(db, rotation)
      return rows[0] && toGrant(rows[0])
    },
  }
}
