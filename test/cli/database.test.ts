import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createEmptyDatabase } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { startServer } from '../support/server-process.ts'
import { waitUntil } from '../support/wait-until.ts'
import { cheapSettings, runCli } from './run-cli.ts'

const { url } = await createEmptyDatabase(t)
const env = {
  ...cheapSettings,
  DATABASE_URL: url,
  KEY_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  DATA_DIR: join(temporaryFolder('database'), 'data'),
}

const json = async (words: readonly string[]): Promise<unknown> => {
  const { code, stdout, stderr } = await runCli([...words, '--json'], env)
  if (code !== 0 || stderr !== '') throw new Error(`exit ${code}: ${stderr}`)
  return JSON.parse(stdout)
}

type Status = { state: string; applied: string[]; pending: string[] }

t.test('migrate brings an empty database up to date, and says where it stands', async (t) => {
  const before = (await json(['migrate', '--status'])) as Status
  t.strictSame({ ...before, pending: [] }, { state: 'behind', applied: [], pending: [] })
  const names = before.pending
  t.ok(names.length > 0)
  t.strictSame(await runCli(['migrate', '--status'], env), {
    code: 0,
    stdout: ['State: behind', ...names.map((name) => `  pending  ${name}`), ''].join('\n'),
    stderr: '',
  })
  t.strictSame(await runCli(['users', 'list'], { ...env, MIGRATE_ON_START: 'false' }), {
    code: 1,
    stdout: '',
    stderr:
      'The schema of the database is older than this version of Tessera: run `tessera migrate`, or start with MIGRATE_ON_START=true\n',
  })
  t.strictSame(await runCli(['migrate'], env), {
    code: 0,
    stdout: names.map((name) => `applied  ${name}\n`).join(''),
    stderr: '',
  })
  t.strictSame(await json(['migrate']), { applied: [] })
  const last = names.at(-1)
  t.strictSame(await json(['migrate', '--undo']), { undone: [last] })
  t.strictSame(await json(['migrate']), { applied: [last] })
  t.strictSame(await json(['migrate', '--status']), {
    state: 'current',
    applied: names,
    pending: [],
  })
})

t.test('commands work on the database itself, and a server there follows', async (t) => {
  const server = await startServer(t, env)
  const { client_id, client_secret } = (await json([
    ...['clients', 'create', '--name', 'billing'],
  ])) as { client_id: string; client_secret: string }
  const requestToken = () =>
    fetch(`${server.url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
  t.equal((await requestToken()).status, 200)
  await json(['clients', 'disable', client_id])
  await waitUntil('the server to refuse the client', async () => {
    const { status } = await requestToken()
    return status === 401
  })
})

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

t.test('a database that does not answer is said in one sentence', async (t) => {
  const dead = `postgres://postgres@127.0.0.1:${await freePort()}/postgres`
  for (const words of [['users', 'list'], ['migrate']]) {
    t.strictSame(await runCli(words, { ...env, DATABASE_URL: dead }), {
      code: 1,
      stdout: '',
      stderr: 'The database does not answer: nothing was done, try again\n',
    })
  }
})

t.test('an environment that is not usable is said whole, and values stay secret', async (t) => {
  const { code, stdout, stderr } = await runCli(['users', 'list'], {
    ...env,
    NODE_ENV: 'production',
    DATABASE_URL: 'mysql://root:geheim@db/x',
  })
  t.strictSame({ code, stdout }, { code: 1, stdout: '' })
  t.match(stderr, 'ISSUER is required in production')
  t.match(stderr, 'DATABASE_URL must be a postgres:// URL')
  t.notMatch(stderr, 'geheim')
})
