import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { noteProcess } from './run-folder.ts'
import { judge, type Outcome, type Verdict } from './verdict.ts'

/** A test file that has been run. */
export type TestedFile = {
  readonly file: string
  readonly verdict: Verdict
  readonly durationMs: number
  /** What it wrote to its standard error. */
  readonly errorOutput: string
}

// Time for processes that were told to end to be gone.
const settleMs = 2000

/** How a test file is run. */
export type TestRun = {
  readonly env: NodeJS.ProcessEnv
  /** After so long tap reports the test that is running as failed. */
  readonly timeoutMs: number
  /** Time after that in which tap may do so, before the file is ended. */
  readonly graceMs?: number
  /** Folder of the run, where the process is noted. */
  readonly folder: string
}

/** Runs one test file in a process group of its own, which does not outlive it. */
export async function runTestFile(
  file: string,
  { env, timeoutMs, graceMs = 10_000, folder }: TestRun,
): Promise<TestedFile> {
  const start = performance.now()
  const child = spawn(process.execPath, ['--enable-source-maps', file], {
    detached: true,
    env: { ...env, TAP_TIMEOUT: `${timeoutMs / 1000}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const strike = noteProcess(child, { group: true, folder })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      output[name] += chunk
    })
  }
  const ended = await end(child, timeoutMs + graceMs)
  strike()
  return {
    file,
    verdict: judge({ ...ended, output: output.stdout }),
    durationMs: performance.now() - start,
    errorOutput: output.stderr,
  }
}

async function end(child: ChildProcess, limitMs: number): Promise<Omit<Outcome, 'output'>> {
  let timedOut = false
  const limit = setTimeout(() => {
    timedOut = true
    signalGroup(child, 'SIGKILL')
  }, limitMs)
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  clearTimeout(limit)
  const leftProcesses = !timedOut && signal === null && !(await groupIsGone(child))
  signalGroup(child, 'SIGKILL')
  // Only now can nobody hold the pipes open any more.
  if (!child.stdout?.closed || !child.stderr?.closed) await once(child, 'close')
  return { code, signal, timedOut, leftProcesses }
}

async function groupIsGone(child: ChildProcess): Promise<boolean> {
  const deadline = performance.now() + settleMs
  while (signalGroup(child, 0)) {
    if (performance.now() > deadline) return !livesInGroup(child)
    await delay(20)
  }
  return true
}

/** Tells the living from ended processes that nobody has collected, where /proc shows it. */
function livesInGroup({ pid }: ChildProcess): boolean {
  const entries = existsSync('/proc/self/stat') ? globSync('/proc/[0-9]*/stat') : []
  return entries.length === 0 || entries.some((entry) => isAliveIn(entry, pid))
}

function isAliveIn(statFile: string, group: number | undefined): boolean {
  try {
    // After the name in parentheses: state, parent, process group.
    const [state, , processGroup] = readFileSync(statFile, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return state !== 'Z' && Number(processGroup) === group
  } catch {
    return false
  }
}

/** Whether the group had a process to hear the signal. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  try {
    return child.pid !== undefined && process.kill(-child.pid, signal)
  } catch {
    return false
  }
}

// The last one spares every process the work of compiling the same files again.
const keptVariables = ['HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'CI', 'NODE_COMPILE_CACHE']

/** The environment of a test: what programs need to run, and nothing that settings are read from. */
export function testEnvironment(own: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = keptVariables.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  const path = `${dirname(process.execPath)}:${process.env.PATH ?? ''}`
  return { ...Object.fromEntries(kept), PATH: path, TAP: '1', ...own }
}
