import { randomUUID } from 'node:crypto'
import type { OutageStore } from '../../tokens/outage.ts'
import type { Connection } from './database.ts'

export const createOutageStore = ({ db }: Pick<Connection, 'db'>): OutageStore => ({
  async record({ startedAt, endedAt }) {
    await db
      .insertInto('outages')
      .values({ id: randomUUID(), started_at: startedAt, ended_at: endedAt })
      .execute()
  },
})
