import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { noteProcess } from '../../test/support/run-folder.ts'

/** A program of this repository, running in a process of its own with the runtime of the run. */
export type Program = {
  readonly child: ChildProcess
  readonly pid: number
  stop(): Promise<void>
}

type ProgramOptions = {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly folder?: string
  readonly stdio: StdioOptions
}

/** @param file path from the root of the repository */
export const startProgram = (file: string, options: ProgramOptions): Program => {
  const path = fileURLToPath(new URL(`../../${file}`, import.meta.url))
  const child = spawn(process.execPath, [path, ...(options.args ?? [])], {
    cwd: options.folder,
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
