import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { openEmbedded, openInMemory } from '../../src/stores/postgres/embedded.ts'
import { noteProcess, temporaryFolder } from '../support/run-folder.ts'

const newFolder = () => join(temporaryFolder('embedded'), 'data')
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
const inUse = (folder: string) => ({
  name: 'DataFolderError',
  message: `The data folder ${folder} is in use by another process of Tessera: stop that one, or set DATA_DIR to another folder`,
  inUse: true,
})

const holdFolder = async (t: Test, folder: string): Promise<ChildProcess> => {
  const script = fileURLToPath(new URL('../stores/hold-data-folder.ts', import.meta.url))
  const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  noteProcess(child)
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

const folder = newFolder()

t.test('the data survive closing, in a folder that only its owner may enter', async (t) => {
  const first = await openEmbedded(folder)
  await sql`CREATE TABLE kept (value text)`.execute(first.db)
  await sql`INSERT INTO kept VALUES ('still here')`.execute(first.db)
  await first.close()
  t.strictSame(readdirSync(folder).sort(), ['lock', 'postgres'])
  t.strictSame([folder, join(folder, 'postgres'), join(folder, 'lock')].map(modeOf), [
    '700',
    '700',
    '600',
  ])

  const second = await openEmbedded(folder)
  t.teardown(second.close)
  const { rows } = await sql`SELECT * FROM kept`.execute(second.db)
  t.strictSame(rows, [{ value: 'still here' }])
})

t.test('int8 arrives as a number, as from a server', async (t) => {
  const { db, close } = await openInMemory()
  t.teardown(close)
  const { rows } = await sql`SELECT 7::bigint AS "one", count(*), 9007199254740991 AS most`.execute(
    db,
  )
  t.strictSame(rows, [{ one: 7, count: 1, most: 9007199254740991 }])
})

t.test('a folder opens once in a process, and again after it was closed', async (t) => {
  const first = await openEmbedded(folder)
  await t.rejects(openEmbedded(folder, 0), inUse(folder))
  await sql`SELECT 1`.execute(first.db)
  await first.close()
  const again = await openEmbedded(folder)
  await again.close()
})

t.test('a second process is refused; kill -9 frees the folder and keeps every row', async (t) => {
  const holder = await holdFolder(t, folder)
  await t.rejects(openEmbedded(folder, 0), inUse(folder))

  holder.kill('SIGKILL')
  await once(holder, 'exit')
  const { db, close } = await openEmbedded(folder)
  t.teardown(close)
  t.strictSame((await sql`SELECT * FROM acknowledged`.execute(db)).rows, [{ value: 42 }])
})

t.test('a folder that is given back within the time to wait for it is taken then', async (t) => {
  const first = await openEmbedded(folder)
  const second = openEmbedded(folder)
  await t.rejects(openEmbedded(folder, 0), inUse(folder))
  await first.close()
  await (await second).close()
})

t.test('a database that a killed process left half made is made anew', async (t) => {
  const folder = newFolder()
  const unfinished = join(folder, 'postgres.unfinished')
  mkdirSync(join(unfinished, 'base'), { recursive: true })
  writeFileSync(join(unfinished, 'PG_VERSION'), '18\n')
  const { db, close } = await openEmbedded(folder)
  t.teardown(close)
  t.strictSame((await sql`SELECT 1 AS one`.execute(db)).rows, [{ one: 1 }])
  t.strictSame(readdirSync(folder).sort(), ['lock', 'postgres'])
})

t.test('a folder that cannot be made is refused in a sentence', async (t) => {
  const file = join(temporaryFolder('embedded'), 'file')
  writeFileSync(file, '')
  await t.rejects(openEmbedded(join(file, 'data')), {
    name: 'DataFolderError',
    message: `The data folder ${join(file, 'data')} cannot be used: ENOTDIR: not a directory, mkdir '${join(file, 'data')}'`,
    inUse: false,
  })
})

t.test('a database that cannot be opened is refused, and its folder is given back', async (t) => {
  const folder = newFolder()
  mkdirSync(folder)
  writeFileSync(join(folder, 'postgres'), 'not a folder')
  for (const attempt of ['first', 'second']) {
    await t.rejects(
      openEmbedded(folder),
      { name: 'DataFolderError', message: /^The embedded database in .* cannot be opened: / },
      `${attempt} attempt`,
    )
  }
})
