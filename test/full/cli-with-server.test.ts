import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { type CliResult, cheapSettings, runCli, runInProcess } from '../cli/run-cli.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { spawnServer, startServer } from '../support/server-process.ts'
import { waitUntil } from '../support/wait-until.ts'

const folder = temporaryFolder('with-server')
const dataDir = join(folder, 'data')
const env = { ...cheapSettings, DATA_DIR: dataDir, LOG_LEVEL: 'trace' }
const password = 'purple walrus forklift'

type Runner = (words: readonly string[], input?: string) => Promise<CliResult>
type Json = Record<string, unknown>

const config = loadConfig(env, () => '')
const jsonOf =
  (run: Runner) =>
  async (words: readonly string[], input?: string): Promise<Json> => {
    const { code, stdout, stderr } = await run([...words, '--json'], input)
    if (code !== 0 || stderr !== '') throw new Error(`exit ${code}: ${stderr}`)
    return JSON.parse(stdout)
  }

/** By a process of its own. */
const json = jsonOf((words, input) => runCli(words, env, input))
/** By this process, where another one would show nothing more. */
const quickJson = jsonOf((words, input) => runInProcess(words, () => config, input))

const signIn = (url: string): Promise<Response> =>
  fetch(`${url}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.com', password }),
  })

const requestToken = (url: string, id: string, secret: string): Promise<Response> =>
  fetch(`${url}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })

await t.test('a command and a server that come at once do not disturb each other', async (t) => {
  await json(['users', 'create', '--email', 'ada@example.com', '--password-stdin'], password)
  const [server, shown] = await Promise.all([
    startServer(t, env, { folder }),
    json(['users', 'show', 'ada@example.com']),
  ])
  t.equal(shown.email, 'ada@example.com')
  t.equal((await signIn(server.url)).status, 200)
  t.equal(statSync(join(dataDir, 'tessera.sock')).mode & 0o777, 0o600)
  await server.stop()
  t.notOk(existsSync(join(dataDir, 'tessera.sock')))
})

const server = await startServer(t, env, { folder })

t.test(
  'what a command does counts in the running server at once, and no secret is logged',
  async (t) => {
    const { client_id, client_secret } = (await json([
      ...['clients', 'create', '--name', 'billing', '--scope', 'a'],
    ])) as { client_id: string; client_secret: string }
    const statuses = async () => (await requestToken(server.url, client_id, client_secret)).status
    t.equal(await statuses(), 200)
    await quickJson(['clients', 'disable', client_id])
    t.equal(await statuses(), 401)
    await quickJson(['clients', 'enable', client_id])
    t.equal(await statuses(), 200)

    const made = (await quickJson(['users', 'set-password', 'ada@example.com'])) as {
      password: string
    }
    t.equal((await signIn(server.url)).status, 401, 'the old password is good no longer')
    await quickJson(['users', 'set-password', 'ada@example.com', '--password-stdin'], password)
    t.equal((await signIn(server.url)).status, 200)
    await quickJson(['users', 'disable', 'ada@example.com'])
    t.equal((await signIn(server.url)).status, 401)
    await quickJson(['users', 'enable', 'ada@example.com'])

    // Lines of the log wait for each other a moment: the last one follows all others.
    await fetch(`${server.url}/the-last`)
    await waitUntil('the last line', () => server.log().some(({ status }) => status === 404))
    for (const secret of [client_secret, password, made.password, 'tcs_', 'argon2']) {
      t.notMatch(server.output(), secret)
    }
  },
)

t.test('a second server on the same data folder is refused', async (t) => {
  const second = spawnServer({ ...env, PORT: '0' }, folder)
  t.strictSame(await second.exit, { code: 1, signal: null })
  t.match(
    second.output(),
    `The data folder ${dataDir} is in use by another process of Tessera: stop that one, or set DATA_DIR to another folder`,
  )
})

t.test('after kill -9 commands open the data themselves, and a new server starts', async (t) => {
  await quickJson(['users', 'create', '--email', 'eve@example.com', '--password-stdin'], password)
  await server.kill()
  t.ok(existsSync(join(dataDir, 'tessera.sock')), 'it left its socket')
  const shown = await json(['users', 'show', 'eve@example.com'])
  t.equal(shown.email, 'eve@example.com')
  const again = await startServer(t, env, { folder })
  t.equal((await signIn(again.url)).status, 200)
  t.strictSame(await quickJson(['users', 'show', 'eve@example.com']), shown)
})

t.test('data that another process has without serving them are refused', async (t) => {
  const held = join(temporaryFolder('held'), 'data')
  const script = new URL('../stores/hold-data-folder.ts', import.meta.url).pathname
  const holder = spawn(process.execPath, [script, held], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => holder.kill('SIGKILL'))
  await once(holder.stdout, 'data')
  const sentence = `The data folder ${held} is in use by another process of Tessera: stop that one, or set DATA_DIR to another folder\n`
  const refusal = { code: 1, stdout: '', stderr: sentence }
  const run = (...words: string[]) => runCli(words, { ...env, DATA_DIR: held })
  t.strictSame(await Promise.all([run('users', 'list'), run('migrate')]), [refusal, refusal])
})
