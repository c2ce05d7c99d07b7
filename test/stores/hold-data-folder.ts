/**
 * Opens the embedded database of a folder, writes a row, says so, and holds it until it is ended,
 * although nothing in it refers to what it has opened.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { sql } from 'kysely'
import { openEmbedded } from '../../src/stores/postgres/embedded.ts'

const writeRow = async (): Promise<void> => {
  const { db } = await openEmbedded(process.argv[2] ?? '')
  await sql`CREATE TABLE acknowledged (value bigint)`.execute(db)
  await sql`INSERT INTO acknowledged VALUES (42)`.execute(db)
}

await writeRow()
// What could be collected is collected now, not at some moment that depends on the machine.
setFlagsFromString('--expose-gc')
runInNewContext('gc')()
console.log('held')
setInterval(() => {}, 60_000)
