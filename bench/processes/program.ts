import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { noteProcess } from '../../test/support/run-folder.ts'

/** A program of this repository, running in a process of its own. */
export type Program = {
  readonly child: ChildProcess
  readonly pid: number
  stop(): Promise<void>
}

type ProgramOptions = {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly stdio: StdioOptions
}

const bootstrap = fileURLToPath(new URL('../../bootstrap.sh', import.meta.url))

/** Starts a file as the scripts of package.json do. @param file path from the root */
export const startProgram = (file: string, options: ProgramOptions): Program => {
  const child = spawn('sh', [bootstrap, file, ...(options.args ?? [])], {
    env: { PATH: process.env.PATH, ...options.env },
    stdio: options.stdio,
  })
  noteProcess(child)
  const ended = once(child, 'exit')
  return {
    child,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
