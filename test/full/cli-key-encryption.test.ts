import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cheapSettings, runCli } from '../cli/run-cli.ts'
import { createEmptyDatabase } from '../support/database.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { startServer } from '../support/server-process.ts'

t.test('without a key-encryption key one is made, which server and commands share', async (t) => {
  const { url } = await createEmptyDatabase(t)
  const folder = temporaryFolder('shared-key')
  const own = { ...cheapSettings, DATABASE_URL: url, DATA_DIR: folder }
  const key = () => readFileSync(join(folder, 'keys', 'key-encryption-key'), 'utf8')
  const list = await runCli(['keys', 'list'], own)
  t.equal(list.code, 0)
  const made = key()
  await startServer(t, own)
  t.strictSame(await runCli(['keys', 'list'], own), list)
  t.equal(key(), made)

  const elsewhere = temporaryFolder('other-node')
  const path = join(elsewhere, 'keys', 'key-encryption-key')
  t.strictSame(await runCli(['keys', 'list'], { ...own, DATA_DIR: elsewhere }), {
    code: 1,
    stdout: '',
    stderr: `The key-encryption key ${path} is missing, and a new one cannot open the keys in the database: put the file back, set KEY_ENCRYPTION_KEY to what it held, or start with an empty database\n`,
  })
})

t.test('reseal lets an old key-encryption key go', async (t) => {
  const { url } = await createEmptyDatabase(t)
  const [older, newer] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64'))
  const run = (words: string[], key: string) =>
    runCli(words, { ...cheapSettings, DATABASE_URL: url, KEY_ENCRYPTION_KEY: key })
  const list = await run(['keys', 'list'], `${older}`)
  t.equal(list.code, 0)
  t.strictSame(await run(['keys', 'reseal', '--json'], `${newer},${older}`), {
    code: 0,
    stdout: '{\n  "resealed": 10\n}\n',
    stderr: '',
  })
  t.strictSame(await run(['keys', 'list'], `${newer}`), list)
  const { code, stdout, stderr } = await run(['keys', 'list'], `${older}`)
  t.strictSame({ code, stdout }, { code: 1, stdout: '' })
  t.match(stderr, /^[A-Z][^\n]+KEY_ENCRYPTION_KEY[^\n]+\n$/, 'one sentence that says what to do')
})
