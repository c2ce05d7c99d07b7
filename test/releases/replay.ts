import pg from 'pg'
import { type Reply, refusalOf, replyOf, type Statement } from './transcript.ts'

/** A connection as the service makes them by default. */
export const connectAsService = async (connectionString: string): Promise<pg.Client> => {
  const client = new pg.Client({
    connectionString,
    statement_timeout: 5000,
    lock_timeout: 1000,
    options: '-c default_transaction_isolation=read\\ committed',
  })
  client.on('error', () => {})
  await client.connect()
  return client
}

export const say = (
  client: pg.Client,
  { text, values }: Pick<Statement, 'text' | 'values'>,
): Promise<Reply> => client.query(text, [...values]).then(replyOf, refusalOf)

/** Columns that came later are none of its business who asks for all of them. */
const knownOf = (reply: Reply, former: Reply): Reply =>
  'columns' in reply && 'columns' in former
    ? { ...reply, columns: reply.columns.filter((name) => former.columns.includes(name)) }
    : reply

/**
 * Says everything again, in its order.
 * @returns for each statement what was answered this time, without columns that are new
 */
export const replay = async (
  url: string,
  statements: readonly Statement[],
): Promise<readonly Statement[]> => {
  const client = await connectAsService(url)
  const answered: Statement[] = []
  try {
    for (const statement of statements) {
      const reply = await say(client, statement)
      answered.push({ ...statement, reply: knownOf(reply, statement.reply) })
    }
  } finally {
    await client.end()
  }
  return answered
}
