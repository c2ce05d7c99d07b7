import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { createTestDatabase } from './support/database.ts'
import { freePort } from './support/free-port.ts'
import { halfRequest } from './support/half-request.ts'
import { noteProcess } from './support/run-folder.ts'
import { testEnvironment } from './support/service.ts'
import { waitUntil } from './support/wait-until.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

/** `npm start` in a process group of its own, as a shell runs it, once it is ready. */
const npmStart = async (t: Test) => {
  const port = await freePort()
  const npm = spawn('npm', ['start'], {
    cwd: root,
    detached: true,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...testEnvironment,
      ISSUER: `http://localhost:${port}`,
      PORT: `${port}`,
      DATABASE_URL: (await createTestDatabase(t)).url,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  noteProcess(npm, { group: true })
  let output = ''
  npm.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const ended = once(npm, 'exit').then(([code, signal]) => ({ code, signal }))
  await waitUntil('the banner', () => output.includes('Tessera is ready'), { timeoutMs: 60_000 })
  return { pid: npm.pid ?? 0, port, ended, output: () => output }
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
    const { pid, port, ended, output } = await npmStart(t)
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
