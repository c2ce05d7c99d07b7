import type { OneTimeIds } from '../../secrets/one-time-ids.ts'
import { digestOneTimeId } from '../one-time-digest.ts'
import type { Connection } from './database.ts'

export type StoredOneTimeIds = OneTimeIds & {
  /** As `use`, by what stands for an id. */
  useDigest(digest: Buffer, expiresAt: Date): Promise<boolean>
}

/** Ids that have been used, as rows: the primary key lets one of all nodes insert each. */
export const createOneTimeIdStore = ({ db }: Pick<Connection, 'db'>): StoredOneTimeIds => {
  const useDigest = async (digest: Buffer, expiresAt: Date): Promise<boolean> => {
    const inserted = await db
      .insertInto('one_time_ids')
      .values({ digest, expires_at: expiresAt })
      .onConflict((conflict) => conflict.column('digest').doNothing())
      .returning('expires_at')
      .executeTakeFirst()
    return inserted !== undefined
  }
  return {
    useDigest,
    use: (kind, id, _issuedAt, expiresAt) => useDigest(digestOneTimeId(kind, id), expiresAt),
  }
}
