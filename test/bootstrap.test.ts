import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { noteProcess, temporaryFolder } from './support/run-folder.ts'
import { onPath } from './support/system-tool.ts'
import { waitUntil } from './support/wait-until.ts'

const script = new URL('../bootstrap.sh', import.meta.url)
const hiddenLockfile = 'node_modules/.package-lock.json'
const pinned = 'node_modules/node/bin/node'

/** What an install leaves: a Node.js that says which process it is, and what it was given. */
const finishInstall = [
  'mkdir -p node_modules/node/bin',
  `printf '#!/bin/sh\\necho "$$ $*"\\n' >${pinned}`,
  `chmod 755 ${pinned}`,
  `echo '{}' >${hiddenLockfile}`,
]

/** What the script needs of the system, so that a PATH can be had without flock. */
const tools = ['sh', 'dirname', 'find', 'readlink', 'ln', 'rm', 'sleep', 'mkdir', 'chmod', 'env']

/** A project whose npm does as it is told, and writes down each time that it is called. */
const createProject = (npm: readonly string[], { flock = true } = {}) => {
  const folder = temporaryFolder('project')
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const tool of flock ? [...tools, 'flock'] : tools) {
    const found = onPath([tool])
    if (found !== undefined) symlinkSync(found, join(bin, tool))
  }
  copyFileSync(script, join(folder, 'bootstrap.sh'))
  writeFileSync(join(folder, 'package-lock.json'), '{}')
  const lines = ['#!/bin/sh', 'echo "$$ $*" >>calls', ...npm]
  writeFileSync(join(bin, 'npm'), `${lines.join('\n')}\n`)
  chmodSync(join(bin, 'npm'), 0o755)
  const calls = () => {
    const file = join(folder, 'calls')
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  }
  const start = () => {
    const child = spawn(join(bin, 'sh'), [join(folder, 'bootstrap.sh'), 'file.ts', 'a b'], {
      env: { PATH: bin },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    noteProcess(child)
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text
      })
    }
    const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...output }))
    return { pid: child.pid ?? 0, ended, kill: (signal: NodeJS.Signals) => child.kill(signal) }
  }
  return { folder, calls, start }
}

const isAlive = (pid: number): boolean =>
  spawnSync('sh', ['-c', `kill -0 ${pid}`], { stdio: 'ignore' }).status === 0

for (const flock of [true, false]) {
  t.test(
    `two first starts at once install once (flock: ${flock}), then become Node.js`,
    async (t) => {
      const wait = 'while [ ! -e go ]; do sleep 0.05; done'
      const { folder, calls, start } = createProject([wait, ...finishInstall], { flock })
      const starts = [start(), start()]
      await waitUntil('npm', () => calls().length > 0)
      writeFileSync(join(folder, 'go'), '')
      for (const { pid, ended } of starts) {
        const { code, stdout } = await ended
        t.equal(code, 0)
        t.match(stdout, new RegExp(`^${pid} .*file\\.ts a b\\n$`), 'it is the same process')
      }
      t.equal(calls().length, 1)
      t.match(calls()[0], / ci --include=dev /)
      const again = start()
      t.match(await again.ended, { code: 0, stderr: '' })
      t.equal(calls().length, 1, 'a third start installs nothing')
    },
  )

  t.test(`an npm that fails ends the start with its code (flock: ${flock})`, async (t) => {
    const { folder, calls, start } = createProject([...finishInstall, 'exit 7'], { flock })
    const { code, stdout, stderr } = await start().ended
    t.strictSame([code, stdout], [7, ''])
    t.match(stderr, 'The packages could not be installed')
    t.notOk(existsSync(join(folder, hiddenLockfile)), 'nothing looks installed')
    t.equal((await start().ended).code, 7, 'and the next start tries again')
    t.equal(calls().length, 2)
  })

  t.test(`SIGTERM during the install ends npm as well (flock: ${flock})`, async (t) => {
    const { folder, calls, start } = createProject([...finishInstall, 'exec sleep 600'], { flock })
    const { ended, kill } = start()
    await waitUntil('npm', () => existsSync(join(folder, hiddenLockfile)))
    kill('SIGTERM')
    t.match(await ended, { code: 143, signal: null })
    const [npm] = calls()
    await waitUntil('npm to end', () => !isAlive(Number.parseInt(npm ?? '', 10)))
    t.notOk(existsSync(join(folder, hiddenLockfile)), 'nothing looks installed')
  })
}

t.test('without npm a first start is refused in one sentence', async (t) => {
  const { folder, start } = createProject([])
  spawnSync('rm', [join(folder, 'bin', 'npm')])
  t.match(await start().ended, {
    code: 1,
    stdout: '',
    stderr: 'npm is not on the PATH: install Node.js with npm, then try again\n',
  })
})
