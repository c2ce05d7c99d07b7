/** Gets the key-encryption key of a data folder as a service with that database does; prints it. */
import { connectPostgres } from '../../src/stores/postgres/database.ts'
import { loadEmbeddedKeys } from '../../src/stores/postgres/embedded-key.ts'

const [url = '', folder = ''] = process.argv.slice(2)
const limits = {
  size: 1,
  connectTimeoutMs: 10_000,
  statementTimeoutMs: 10_000,
  lockTimeoutMs: 10_000,
}
const db = await connectPostgres(url, limits, () => {})
const [key] = await loadEmbeddedKeys(db, folder)
await db.destroy()
console.log(key?.toString('base64'))
