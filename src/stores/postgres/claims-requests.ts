import { sql } from 'kysely'
import type { ClaimsRequest } from '../../oauth/claims-request.ts'
import type { ClaimsRequests } from '../../tokens/claims-requests.ts'
import type { Connection } from './database.ts'

/** They are kept with the family; where there is none, with the code that gave its id. */
export const createClaimsRequests = ({ db }: Pick<Connection, 'db'>): ClaimsRequests => ({
  async find(familyId) {
    const { rows } = await sql<{ claims_request: ClaimsRequest | null }>`
      SELECT claims_request FROM refresh_families WHERE id = ${familyId}::uuid
      UNION ALL
      SELECT claims_request FROM authorization_codes WHERE family_id = ${familyId}::uuid
      LIMIT 1`.execute(db)
    return rows[0]?.claims_request ?? null
  },
})
