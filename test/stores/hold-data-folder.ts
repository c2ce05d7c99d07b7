/** Opens the embedded database of a folder, writes a row, says so, and holds it until it is ended. */
import { sql } from 'kysely'
import { openEmbedded } from '../../src/stores/postgres/embedded.ts'

const { db } = await openEmbedded(process.argv[2] ?? '')
await sql`CREATE TABLE acknowledged (value bigint)`.execute(db)
await sql`INSERT INTO acknowledged VALUES (42)`.execute(db)
console.log('held')
setInterval(() => {}, 60_000)
