import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import t from 'tap'
import { openInMemory } from '../../src/stores/postgres/embedded.ts'
import { embeddedKeyFile, loadEmbeddedKeys } from '../../src/stores/postgres/embedded-key.ts'
import { migrateToLatest } from '../../src/stores/postgres/migrator.ts'
import { createTestDatabase } from '../support/database.ts'
import { noteProcess, temporaryFolder } from '../support/run-folder.ts'

const { db, close } = await openInMemory()
t.teardown(close)
await migrateToLatest(db)

const refusal = (message: string) => ({ name: 'DataFolderError', message })

const newFolder = () => {
  const folder = temporaryFolder('embedded-key')
  return { folder, file: join(folder, 'keys', 'key-encryption-key') }
}

t.test('the default data folder has its key beside it, any other one in itself', async (t) => {
  t.equal(embeddedKeyFile('data'), 'keys/key-encryption-key')
  t.equal(embeddedKeyFile('./data//'), 'keys/key-encryption-key')
  t.equal(embeddedKeyFile(resolve('data')), resolve('data/keys/key-encryption-key'))
  t.equal(embeddedKeyFile('/srv/tessera'), '/srv/tessera/keys/key-encryption-key')
  t.equal(embeddedKeyFile('data/two'), 'data/two/keys/key-encryption-key')
})

t.test('the key is made once, for its owner only, and read from then on', async (t) => {
  const { folder, file } = newFolder()
  const made = await loadEmbeddedKeys(db, folder)
  t.strictSame(
    made.map(({ length }) => length),
    [32],
  )
  t.strictSame(made, [Buffer.from(readFileSync(file, 'utf8'), 'base64')])
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.equal(statSync(join(folder, 'keys')).mode & 0o777, 0o700)
  t.strictSame(await loadEmbeddedKeys(db, folder), made)
})

t.test('processes that start at once get the same key', async (t) => {
  const { folder, file } = newFolder()
  const { url } = await createTestDatabase(t)
  const script = fileURLToPath(new URL('../stores/make-key.ts', import.meta.url))
  const keys = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const child = spawn(process.execPath, [script, url, folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      noteProcess(child)
      return text(child.stdout)
    }),
  )
  t.strictSame(keys, new Array(4).fill(readFileSync(file, 'utf8')))
  t.strictSame(readdirSync(join(folder, 'keys')), ['key-encryption-key'], 'nothing else is left')
})

t.test('several keys may stand in the file, newest first', async (t) => {
  const { folder, file } = newFolder()
  const keys = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
  mkdirSync(join(folder, 'keys'))
  writeFileSync(file, `${keys.map((key) => key.toString('base64')).join(',\n')}\n`)
  t.strictSame(await loadEmbeddedKeys(db, folder), keys)
})

for (const content of [
  '',
  '\n',
  'secret',
  Buffer.alloc(31).toString('base64'),
  `${'A'.repeat(43)}=,x`,
]) {
  t.test(`a file that holds ${JSON.stringify(content)} is refused, and not replaced`, async (t) => {
    const { folder, file } = newFolder()
    mkdirSync(join(folder, 'keys'))
    writeFileSync(file, content)
    await t.rejects(
      loadEmbeddedKeys(db, folder),
      refusal(
        `The file ${file} holds no key-encryption key: it must hold 32 bytes in base64, several separated by commas`,
      ),
    )
    t.equal(readFileSync(file, 'utf8'), content)
  })
}

t.test('what cannot be read is refused', async (t) => {
  const { folder, file } = newFolder()
  mkdirSync(file, { recursive: true })
  await t.rejects(
    loadEmbeddedKeys(db, folder),
    refusal(
      `The key-encryption key ${file} cannot be read: give this user the right to, or set KEY_ENCRYPTION_KEY`,
    ),
  )
})

t.test('a folder that cannot be made is refused', async (t) => {
  const { folder } = newFolder()
  writeFileSync(join(folder, 'file'), '')
  const file = join(folder, 'file', 'keys', 'key-encryption-key')
  await t.rejects(
    loadEmbeddedKeys(db, join(folder, 'file')),
    refusal(
      `The key-encryption key ${file} cannot be read: give this user the right to, or set KEY_ENCRYPTION_KEY`,
    ),
  )
})

t.test('no new key is made for a database whose keys only the lost one opens', async (t) => {
  const { folder, file } = newFolder()
  const missing = refusal(
    `The key-encryption key ${file} is missing, and a new one cannot open the keys in the database: put the file back, set KEY_ENCRYPTION_KEY to what it held, or start with an empty database`,
  )
  const inserts = [
    sql`INSERT INTO mac_keys VALUES (1, '\\x00', now(), now())`,
    sql`INSERT INTO signing_keys (key_id, algorithm, public_jwk, sealed_private_key)
      VALUES ('one', 'ES256', '{}', '\\x00')`,
  ]
  for (const insert of inserts) {
    await insert.execute(db)
    await t.rejects(loadEmbeddedKeys(db, folder), missing)
    await sql`DELETE FROM mac_keys`.execute(db)
  }
})
