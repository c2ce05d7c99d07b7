import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { freePort } from './free-port.ts'
import { noteProcess, temporaryFolder } from './run-folder.ts'
import { waitUntil } from './wait-until.ts'

/** One line of the server's log, as pino writes it. */
export type LogLine = Readonly<Record<string, unknown>>

/** The real service, running in a process of its own. */
export type ServerProcess = {
  /** Base URL, without a slash at the end. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Everything it has written so far, standard output and error. */
  output(): string
  /** The lines of its output that are JSON. */
  log(): LogLine[]
  /** Asks it to end and waits until it has. */
  stop(signal?: NodeJS.Signals): Promise<Exit>
  /** Ends it without warning. */
  kill(): Promise<Exit>
  /** Settles when it has ended, however that came. */
  readonly exit: Promise<Exit>
}

/** How a process ended: by itself with a code, or by a signal. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

// A machine that is busy with other tests is no overload.
const unhurried = { OVERLOAD_EVENT_LOOP_DELAY_MS: '0' }

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/**
 * Starts the service and waits until it says that it is ready; it ends with the test.
 *
 * @param env settings beside a free `PORT`; nothing of the surrounding environment but the PATH
 * @param folder working folder, where the embedded mode keeps its keys and data; a new one by
 *   default, so give the same twice to see data survive
 * @throws {Error} with its output when it ends instead
 */
export async function startServer(
  t: Test,
  env: Readonly<Record<string, string>> = {},
  { folder = temporaryFolder('server'), timeoutMs = 90_000 } = {},
): Promise<ServerProcess> {
  const port = Number(env.PORT ?? (await freePort()))
  const server = spawnServer({ ...unhurried, ...env, PORT: `${port}` }, folder)
  t.teardown(() => server.kill())
  const url = `http://127.0.0.1:${port}`
  let ended: Exit | undefined
  void server.exit.then((exit) => {
    ended = exit
  })
  const isReady = async () =>
    ended ?? (await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2000) })).ok
  try {
    await waitUntil('the server', isReady, { timeoutMs })
  } catch (cause) {
    throw new Error(`The server did not get ready:\n${server.output()}`, { cause })
  }
  if (ended !== undefined) {
    throw new Error(`The server ended (${JSON.stringify(ended)}):\n${server.output()}`)
  }
  return { ...server, url, port }
}

/**
 * Starts the service without waiting, for tests of starts that fail.
 *
 * @param env all of its environment but the PATH
 */
export function spawnServer(
  env: Readonly<Record<string, string>>,
  folder: string = temporaryFolder('server'),
): Omit<ServerProcess, 'url' | 'port'> {
  const child = spawn(process.execPath, [main], {
    cwd: folder,
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  noteProcess(child)
  const exit = exitOf(child)
  const output = collect(child)
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    return await exit
  }
  return {
    pid: child.pid ?? 0,
    output,
    log: () => output().split('\n').flatMap(parseLogLine),
    stop: (signal = 'SIGTERM') => end(signal),
    kill: () => end('SIGKILL'),
    exit,
  }
}

async function exitOf(child: ChildProcess): Promise<Exit> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal }
}

function collect(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  return () => text
}

function parseLogLine(line: string): LogLine[] {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? [value as LogLine] : []
  } catch {
    return []
  }
}
