import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { systemPostgres } from './postgres-binaries.ts'
import { temporaryFolder } from './run-folder.ts'

const write = (path: string, lines: readonly string[]): void => {
  writeFileSync(path, `${['#!/bin/sh', ...lines].join('\n')}\n`)
  chmodSync(path, 0o755)
}

/** A folder that holds a PostgreSQL which can say its version. */
const postgres = (folder: string, version: string): string => {
  mkdirSync(folder, { recursive: true })
  write(join(folder, 'initdb'), [`echo 'initdb (PostgreSQL) ${version}'`])
  write(join(folder, 'postgres'), [])
  return folder
}

t.test('the oldest supported PostgreSQL is found, wherever the system keeps it', async (t) => {
  const root = temporaryFolder('debian')
  const path = [temporaryFolder('a'), temporaryFolder('b'), temporaryFolder('c')] as const
  const nowhere = join(root, 'nowhere')
  t.equal(systemPostgres(nowhere, path.join(delimiter)), undefined)
  postgres(path[0], '14.20')
  t.equal(systemPostgres(nowhere, path.join(delimiter)), undefined, 'too old')
  postgres(path[1], '17.2 (Homebrew)')
  write(join(path[2], 'initdb'), ["echo 'initdb (PostgreSQL) 16.1'"])
  t.strictSame(systemPostgres(nowhere, path.join(delimiter)), { folder: path[1], major: 17 })
  const debian = postgres(join(root, '16', 'bin'), '16.9 (Debian)')
  t.strictSame(systemPostgres(root, path.join(delimiter)), { folder: debian, major: 16 })
  t.strictSame(systemPostgres(root, ''), { folder: debian, major: 16 })
})

const debianPackage = 'no-such-package'
const sought = { programs: ['no-such-tool-here'], debianPackage, otherwise: 'do without' }
const probe = `
import { MissingTool, systemTool } from ${JSON.stringify(fileURLToPath(new URL('./system-tool.ts', import.meta.url)))}
try {
  const tool = ${JSON.stringify(sought)}
  console.log('found', await systemTool(tool))
} catch (error) {
  if (!(error instanceof MissingTool)) throw error
  console.log(error.message)
  process.exitCode = 1
}
`

/** Looks for a tool in a process of its own, whose PATH is the folder. */
const look = (folder: string) => {
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--input-type=module-typescript', '-e', probe],
    { encoding: 'utf8', env: { PATH: folder } },
  )
  return { lines: stdout.trim().split('\n'), status }
}

const missing =
  'The tests need no-such-tool-here: install the package no-such-package, or do without, then try again'

t.test('a tool that is on the PATH is taken', async (t) => {
  const folder = temporaryFolder('tools')
  write(join(folder, 'no-such-tool-here'), [])
  t.strictSame(look(folder), {
    lines: [`found ${join(folder, 'no-such-tool-here')}`],
    status: 0,
  })
})

t.test('without the tool and without apt-get it is one sentence', async (t) => {
  t.strictSame(look(temporaryFolder('tools')), { lines: [missing], status: 1 })
})

const isRoot = process.getuid?.() === 0
const installing = 'Installing no-such-package with apt-get'

t.test('root has apt-get install it, and takes what that brought; others are told', async (t) => {
  const folder = temporaryFolder('tools')
  const tool = join(folder, 'no-such-tool-here')
  write(join(folder, 'apt-get'), [
    `case "$*" in *"install -y --no-install-recommends no-such-package") echo '#!/bin/sh' >${tool}; /bin/chmod 755 ${tool};; esac`,
  ])
  const installed = { lines: [installing, `found ${tool}`], status: 0 }
  t.strictSame(look(folder), isRoot ? installed : { lines: [missing], status: 1 })
})

t.test('an apt-get that fails leaves the same sentence', async (t) => {
  const folder = temporaryFolder('tools')
  write(join(folder, 'apt-get'), ['exit 100'])
  t.strictSame(look(folder), { lines: [...(isRoot ? [installing] : []), missing], status: 1 })
})
