import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { noteProcess } from '../support/run-folder.ts'
import { bootstrap, runCli, runInProcess } from './run-cli.ts'

// None of these reads the configuration, which would not be usable.
const env = { PORT: 'x' }
const noConfig = () => {
  throw new Error('the configuration was read')
}

t.test('help is printed on standard output, with exit code 0', async (t) => {
  const top = await runCli(['--help'], env)
  t.strictSame({ code: top.code, stderr: top.stderr }, { code: 0, stderr: '' })
  t.match(top.stdout, /^Usage: tessera \[options\] \[command\]\n/)
  for (const command of ['migrate', 'keys', 'clients', 'audiences', 'users']) {
    t.match(top.stdout, new RegExp(`^ {2}${command} `, 'm'))
  }
  const create = await runInProcess(['users', 'create', '--help'], noConfig)
  t.strictSame({ code: create.code, stderr: create.stderr }, { code: 0, stderr: '' })
  t.match(create.stdout, '\nExamples:\n  $ tessera users create --email ada@example.com')
})

const misuses = [
  [['nonsense'], "error: unknown command 'nonsense'\n(add --help for how it is used)\n"],
  [
    ['clients', 'create'],
    "error: required option '--name <name>' not specified\n(add --help for how it is used)\n",
  ],
  [
    ['clients', 'show'],
    "error: missing required argument 'client-id'\n(add --help for how it is used)\n",
  ],
  [
    ['keys', 'rotate', '--algorithm', 'HS256'],
    "error: option '--algorithm <name>' argument 'HS256' is invalid. Allowed choices are RS256, ES256, EdDSA, PS256.\n(add --help for how it is used)\n",
  ],
  [
    ['keys', 'rotate', '--mac', '--dry-run'],
    "error: option '--mac' cannot be used with option '--dry-run'\n(add --help for how it is used)\n",
  ],
  [
    ['clients', 'create', '--name', 'x', '--refresh-grace-seconds', '601'],
    "error: option '--refresh-grace-seconds <seconds>' argument '601' is invalid. It must be a whole number from 0 to 600.\n(add --help for how it is used)\n",
  ],
  [
    ['users', 'list', '--limit', '1e3'],
    "error: option '--limit <number>' argument '1e3' is invalid. It must be a whole number from 1 to 1000.\n(add --help for how it is used)\n",
  ],
  [
    ['users', 'create', '--email', 'a@example.com', '--password', 'secret'],
    "error: unknown option '--password'\n(add --help for how it is used)\n",
  ],
] as const
for (const [words, stderr] of misuses) {
  t.test(`exit code 2 and a hint: ${words.join(' ')}`, async (t) => {
    const result = await runInProcess(words, noConfig)
    t.strictSame(result, { code: 2, stdout: '', stderr })
  })
}

t.test('no command at all prints the help on standard error, with exit code 2', async (t) => {
  const { code, stdout, stderr } = await runCli([], env)
  t.strictSame({ code, stdout }, { code: 2, stdout: '' })
  t.match(stderr, /^Usage: tessera /)
})

t.test('a reader that has had enough is no error', async (t) => {
  const child = spawn('sh', [bootstrap, 'src/cli/main.ts', '--help'], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  noteProcess(child)
  child.stdout.destroy()
  const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')])
  t.strictSame({ code: child.exitCode, stderr }, { code: 0, stderr: '' })
})
