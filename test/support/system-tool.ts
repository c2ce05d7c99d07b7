import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, join } from 'node:path'
import { isExecutable } from './run-folder.ts'

/** A program of the operating system that tests need. */
export type SystemTool = {
  /** Names under which it may stand on the PATH, the preferred one first. */
  readonly programs: readonly [string, ...string[]]
  /** The package of Debian and Ubuntu that holds it. */
  readonly debianPackage: string
  /** What to do about its absence, besides installing it. */
  readonly otherwise?: string
}

/** A tool that is neither there nor installable; the message is one sentence that says what to do. */
export class MissingTool extends Error {}

// Daemons such as pgbouncer stand where an ordinary user's PATH does not look.
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/**
 * Finds a program: on the PATH, else by installing it with apt-get (as root, on Debian or Ubuntu).
 *
 * @returns its absolute path
 * @throws {MissingTool} when it is not there and could not be installed
 */
export async function systemTool(tool: SystemTool): Promise<string> {
  const found = onPath(tool.programs)
  if (found !== undefined) return found
  const aptGet = onPath(['apt-get'])
  if (process.getuid?.() === 0 && aptGet !== undefined) {
    await install(aptGet, tool.debianPackage)
    const installed = onPath(tool.programs)
    if (installed !== undefined) return installed
  }
  const otherwise = tool.otherwise === undefined ? '' : `, or ${tool.otherwise}`
  throw new MissingTool(
    `The tests need ${tool.programs[0]}: install the package ${tool.debianPackage}${otherwise}, then try again`,
  )
}

/** The first of the programs that the PATH holds. */
export function onPath(programs: readonly string[]): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...systemFolders]
  return programs
    .flatMap((program) => folders.map((folder) => join(folder, program)))
    .find((path) => isExecutable(path))
}

async function install(aptGet: string, debianPackage: string): Promise<void> {
  process.stdout.write(`Installing ${debianPackage} with apt-get\n`)
  const options = ['-qq', '-o', 'DPkg::Lock::Timeout=300']
  await run(aptGet, [...options, 'update'])
  await run(aptGet, [...options, 'install', '-y', '--no-install-recommends', debianPackage])
}

async function run(command: string, args: readonly string[]): Promise<void> {
  // In run level 1 a freshly installed daemon is not started.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  await once(child, 'exit')
}
