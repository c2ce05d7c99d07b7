import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { createTestDatabase } from './support/database.ts'
import { freePort } from './support/free-port.ts'
import { halfRequest } from './support/half-request.ts'
import { noteProcess, temporaryFolder } from './support/run-folder.ts'
import { testEnvironment } from './support/service.ts'
import { waitUntil } from './support/wait-until.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

/** `npm start` in a process group of its own, as a shell runs it, once it is ready. */
const npmStart = async (settings: Readonly<Record<string, string>>) => {
  const port = await freePort()
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    ...testEnvironment,
    ISSUER: `http://localhost:${port}`,
    PORT: `${port}`,
    ...settings,
  }
  const npm = spawn('npm', ['start'], {
    cwd: root,
    detached: true,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  noteProcess(npm, { group: true })
  let output = ''
  npm.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const ended = once(npm, 'exit').then(([code, signal]) => ({ code, signal }))
  await waitUntil('the banner', () => output.includes('Tessera is ready'), { timeoutMs: 60_000 })
  return { pid: npm.pid ?? 0, port, env, ended, output: () => output }
}

const isGone = async (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/health/live`).then(
    () => false,
    () => true,
  )

const ways: Readonly<Record<string, (pid: number) => boolean>> = {
  'SIGTERM to npm': (pid) => process.kill(pid, 'SIGTERM'),
  'Ctrl-C in a terminal, which npm and the service hear': (pid) => process.kill(-pid, 'SIGINT'),
}

for (const [way, end] of Object.entries(ways)) {
  t.test(`npm start is ended by ${way}: what runs is finished, nothing is left`, async (t) => {
    const { pid, port, ended, output } = await npmStart({
      DATABASE_URL: (await createTestDatabase(t)).url,
    })
    const { closed, finish } = await halfRequest(port)
    end(pid)
    await waitUntil('the signal', () => output().includes('"stopping"'))
    finish()
    t.match(await closed, /HTTP\/1\.1 401 Unauthorized/)
    await ended
    await waitUntil('the last line', () => output().includes('"stopped"'))
    t.ok(await isGone(port))
  })
}

t.test('the quick start of the README works as pasted', async (t) => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const section = readme.split('\n## Quick start\n')[1]?.split('\n## ')[0] ?? ''
  const [start, people, machine] = [...section.matchAll(/^```sh\n(.*?)^```/gms)].map(
    ([, lines = '']) => lines,
  )
  t.equal(start, 'npm start\n')
  const service = await npmStart({ DATA_DIR: join(temporaryFolder('quick-start'), 'data') })
  t.teardown(() => process.kill(-service.pid, 'SIGKILL'))

  const paste = async (lines = '') => {
    const text = lines.replaceAll(':4000', `:${service.port}`)
    const options = { cwd: root, env: service.env }
    const { stdout } = await promisify(execFile)('sh', ['-c', text], options)
    return stdout
  }
  const [registered, me, refreshed] = (await paste(people)).trim().split('\n')
  t.match(JSON.parse(registered ?? ''), { token_type: 'Bearer', user: { status: 'active' } })
  t.match(JSON.parse(me ?? ''), { roles: ['user'] })
  t.match(JSON.parse(refreshed ?? ''), { token_type: 'Bearer', refresh_token: /^trt_/ })
  t.match((await paste(machine)).trim().split('\n').at(-1), /^\{"access_token":".*reports:read/)
})
