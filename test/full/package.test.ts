import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { freePort } from '../support/free-port.ts'
import { noteProcess, temporaryFolder } from '../support/run-folder.ts'
import { testEnvironment } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const run = promisify(execFile)

/** What the package is made of; the repository's own `dist` stays as it is. */
const sources = [
  ...['src', 'migrations', 'package.json', 'tsconfig.json', 'tsconfig.build.json'],
  ...['LICENSE', 'README.md', 'SECURITY.md', 'CHANGELOG.md'],
]

/** Builds and packs a copy of the repository. @returns the folder of the unpacked package */
const unpackedPackage = async (): Promise<string> => {
  const copy = temporaryFolder('package-source')
  for (const name of sources) cpSync(join(root, name), join(copy, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  await run('npm', ['run', 'build'], { cwd: copy })
  const { stdout } = await run('npm', ['pack', '--json', '--offline'], { cwd: copy })
  const [{ filename }] = JSON.parse(stdout)
  const installed = temporaryFolder('package')
  symlinkSync(join(root, 'node_modules'), join(installed, 'node_modules'))
  await run('tar', ['-xzf', join(copy, filename), '-C', installed])
  return join(installed, 'package')
}

const folder = await unpackedPackage()
const port = await freePort()
const url = `http://127.0.0.1:${port}`
const work = temporaryFolder('package-work')
mkdirSync(join(work, 'data'))
const options = {
  cwd: work,
  env: { PATH: process.env.PATH, ...testEnvironment, ISSUER: url, PORT: `${port}` },
}

t.test(
  'the built package serves: sign-in with its hashing worker, keys, the pages, the API page',
  async (t) => {
    const server = spawn(process.execPath, [join(folder, 'dist/src/main.js')], {
      ...options,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    noteProcess(server)
    let output = ''
    server.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    const ended = once(server, 'exit')
    t.teardown(() => server.kill('SIGKILL'))
    await waitUntil('the banner', () => output.includes('Tessera is ready'), { timeoutMs: 60_000 })

    const post = async (path: string, body: object) => {
      const answer = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return { status: answer.status, body: await answer.json() }
    }
    const credentials = { email: 'jo@example.com', password: 'violet kettle on the roof' }
    t.equal((await post('/auth/register', credentials)).status, 201)
    t.match(await post('/auth/login', credentials), {
      status: 200,
      body: { token_type: 'Bearer', user: { email: credentials.email } },
    })
    t.match(await post('/auth/login', { ...credentials, password: 'another kettle' }), {
      status: 401,
      body: { code: 'invalid_credentials' },
    })
    const page = await fetch(`${url}/docs`)
    t.equal(page.status, 200)
    const html = await page.text()
    t.match(html, /swagger-ui/i)
    const [, script = ''] = /src="([^"]*swagger-ui-bundle\.js)"/.exec(html) ?? []
    t.equal((await fetch(new URL(script, page.url))).status, 200)

    const signIn = await fetch(`${url}/sign-in`)
    t.equal(signIn.status, 200)
    const [, stylesheet = ''] = /href="([^"]*tessera\.css[^"]*)"/.exec(await signIn.text()) ?? []
    t.equal((await fetch(new URL(stylesheet, url))).status, 200)

    const { stdout } = await run(
      process.execPath,
      [join(folder, 'dist/src/cli/main.js'), 'users', 'show', credentials.email, '--json'],
      options,
    )
    t.match(JSON.parse(stdout), { email: credentials.email, status: 'active' })
    server.kill('SIGTERM')
    t.strictSame(await ended, [0, null])
  },
)

t.test('the built command line says what it can do', async (t) => {
  const { stdout } = await run(
    process.execPath,
    [join(folder, 'dist/src/cli/main.js'), '--help'],
    options,
  )
  t.match(stdout, /^Usage: tessera /)
})
