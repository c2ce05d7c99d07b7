import { sql } from 'kysely'
import { builtInRoles, type Role } from '../../accounts/role.ts'
import type { RoleStore } from '../../accounts/role-store.ts'
import type { Act } from '../../audit/act.ts'
import type { AuditEventType } from '../../audit/catalogue.ts'
import type { RecordedEvent } from '../../audit/event.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction } from './database.ts'

export const createRoleStore = ({ db, now }: Connection): RoleStore => ({
  async list() {
    const rows = await db.selectFrom('roles').selectAll().orderBy('name').execute()
    return rows.map(toRole)
  },

  async find(name) {
    const row = await db.selectFrom('roles').selectAll().where('name', '=', name).executeTakeFirst()
    return row && toRole(row)
  },

  set: (name, permissions, act) =>
    inTransaction(db, async (trx) => {
      const { rows } = await sql<{ created: boolean }>`
        INSERT INTO roles AS r (name, permissions) VALUES (${name}, ${[...permissions]}::text[])
        ON CONFLICT (name) DO UPDATE SET permissions = excluded.permissions
          WHERE r.permissions <> excluded.permissions
        RETURNING r.xmax = 0 AS created`.execute(trx)
      const [changed] = rows
      if (changed !== undefined) {
        const type = changed.created ? 'role.created' : 'role.updated'
        const event = roleEvent(type, act, { role: name, permissions })
        await insertAuditEvents(trx, now, [event])
      }
      return toRole({ name, permissions: [...permissions] })
    }),

  delete: (name, act) =>
    inTransaction(db, async (trx) => {
      // Whoever gives the role to an account holds a share of its row until it is given.
      const role = await trx
        .selectFrom('roles')
        .select('name')
        .where('name', '=', name)
        .forUpdate()
        .executeTakeFirst()
      if (role === undefined) return 'unknown'
      const holder = await trx
        .selectFrom('users')
        .select('id')
        .where(sql<boolean>`roles @> ARRAY[${name}::text]`)
        .limit(1)
        .executeTakeFirst()
      if (holder !== undefined) return 'in_use'
      await trx.deleteFrom('roles').where('name', '=', name).execute()
      await insertAuditEvents(trx, now, [roleEvent('role.deleted', act, { role: name })])
      return 'deleted'
    }),
})

const toRole = ({ name, permissions }: { name: string; permissions: string[] }): Role => ({
  name,
  permissions,
  builtIn: builtInRoles.includes(name),
})

const roleEvent = (
  type: AuditEventType,
  { actor, origin }: Act,
  details: NonNullable<RecordedEvent['details']>,
): RecordedEvent => ({ type, outcome: 'success', actor, details, origin })
