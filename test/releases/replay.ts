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

/** Says everything again, in its order. @returns for each statement what was answered this time */
export const replay = async (
  url: string,
  statements: readonly Statement[],
): Promise<readonly Statement[]> => {
  const client = await connectAsService(url)
  const answered: Statement[] = []
  try {
    for (const statement of statements) {
      answered.push({ ...statement, reply: await say(client, statement) })
    }
  } finally {
    await client.end()
  }
  return answered
}
