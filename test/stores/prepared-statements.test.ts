import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import { type Test, test } from 'tap'
import {
  connectPostgres,
  type Executor,
  inTransaction,
} from '../../src/stores/postgres/database.ts'
import { StatementNames } from '../../src/stores/postgres/prepared-statements.ts'
import type { Database } from '../../src/stores/postgres/schema.ts'
import { createEmptyDatabase } from '../support/database.ts'
import { poolOptions } from '../support/sql-backends.ts'

/** One connection, so that every statement meets what the one before has prepared. */
const openOne = async (t: Test): Promise<Kysely<Database>> => {
  const { url } = await createEmptyDatabase(t)
  const db = await connectPostgres(url, { ...poolOptions, size: 1 }, () => {})
  t.teardown(() => db.destroy())
  return db
}

const preparedOn = async (db: Kysely<Database>): Promise<string[]> => {
  const { rows } = await sql<{ statement: string }>`
    SELECT statement FROM pg_prepared_statements ORDER BY statement`.execute(db)
  return rows.map(({ statement }) => statement)
}

const repeat = async (times: number, act: () => Promise<unknown>): Promise<void> => {
  for (let time = 0; time < times; time += 1) await act()
}

test('a statement that comes again and again is prepared once for a connection', async (t) => {
  const db = await openOne(t)
  await repeat(5, () => sql`SELECT ${1}::int AS often`.execute(db))
  await repeat(2, () => sql`SELECT ${1}::int AS seldom`.execute(db))
  await repeat(5, () => sql`SELECT 1 AS without_parameters`.execute(db))
  t.strictSame(await preparedOn(db), ['SELECT $1::int AS often'])
})

test('what is prepared answers by the parameters of each time', async (t) => {
  const db = await openOne(t)
  const answers: unknown[] = []
  for (const value of [1, 2, 3, 4, 5, 6]) {
    const { rows } = await sql<{ value: number }>`SELECT ${value}::int AS value`.execute(db)
    answers.push(rows[0]?.value)
  }
  t.strictSame(answers, [1, 2, 3, 4, 5, 6])
})

test('a statement that the server refuses when it is to be prepared can be tried again', async (t) => {
  const db = await openOne(t)
  const read = () => sql<{ name: string }>`SELECT name FROM things WHERE id = ${1}`.execute(db)
  await repeat(4, () => t.rejects(read(), { code: '42P01' }, 'there is no such table'))
  await sql`CREATE TABLE things (id int, name text)`.execute(db)
  await sql`INSERT INTO things VALUES (1, 'one')`.execute(db)
  await repeat(2, async () => t.strictSame((await read()).rows, [{ name: 'one' }]))
})

test('a table that changes beneath what is prepared goes unnoticed, also within a transaction', async (t) => {
  const db = await openOne(t)
  await sql`CREATE TABLE things (id int, size int)`.execute(db)
  await sql`INSERT INTO things VALUES (1, 5)`.execute(db)
  const read = (executor: Executor) =>
    sql<object>`SELECT * FROM things WHERE id = ${1}`.execute(executor).then(({ rows }) => rows)
  await repeat(4, () => read(db))
  await sql`ALTER TABLE things ADD COLUMN name text`.execute(db)
  await repeat(2, async () => t.strictSame(await read(db), [{ id: 1, size: 5, name: null }]))
  await sql`ALTER TABLE things ALTER COLUMN size TYPE text`.execute(db)
  const inside = await inTransaction(db, async (trx) => {
    await sql`INSERT INTO things VALUES (2, '6')`.execute(trx)
    return read(trx)
  })
  t.strictSame(inside, [{ id: 1, size: '5', name: null }])
  const { rows } = await sql`SELECT id FROM things ORDER BY id`.execute(db)
  t.strictSame(rows, [{ id: 1 }, { id: 2 }], 'what the transaction did is done once')
})

test('at most 200 statements ever have a name, each always the same', async (t) => {
  const texts = fc.array(fc.stringMatching(/^[a-z]{1,2}$/), { maxLength: 3000 })
  fc.assert(
    fc.property(texts, (sequence) => {
      const names = new StatementNames()
      names.begin()
      const given = new Map<string, string>()
      for (const text of sequence) {
        const name = names.nameOf(text)
        if (name === undefined) continue
        if ((given.get(text) ?? name) !== name) return false
        given.set(text, name)
      }
      return given.size <= 200 && new Set(given.values()).size === given.size
    }),
  )
  const names = new StatementNames()
  names.begin()
  const named = Array.from({ length: 300 }, (_, index) => {
    names.nameOf(`${index}`)
    names.nameOf(`${index}`)
    return names.nameOf(`${index}`)
  })
  t.equal(new Set(named.filter((name) => name !== undefined)).size, 200)
})
