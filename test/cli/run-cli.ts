import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../../src/cli/program.ts'
import type { Config } from '../../src/config.ts'
import { noteProcess } from '../support/run-folder.ts'

/** What a command has printed, and its exit code. */
export type CliResult = {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What `npm run tessera` runs. */
export const bootstrap = fileURLToPath(new URL('../../bootstrap.sh', import.meta.url))

/** Cheap keys and hashes, for tests that are about neither. */
export const cheapSettings = {
  RSA_MODULUS_BITS: '2048',
  PASSWORD_HASH_MEMORY_KIB: '8',
  PASSWORD_HASH_TIME_COST: '1',
} as const

/**
 * Runs `tessera` in a process of its own, as `npm run tessera` does.
 * @param env all of its environment but what programs need to run
 * @param input standard input, a pipe that ends after it
 */
export const runCli = async (
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  input = '',
): Promise<CliResult> => {
  const child = spawn('sh', [bootstrap, 'src/cli/main.ts', ...words], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  noteProcess(child)
  // A command that does not read its input may have ended before all of it was written.
  child.stdin.on('error', () => {}).end(input)
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code: child.exitCode, stdout, stderr }
}

/**
 * Runs a command in this process, without the time that starting another takes.
 * @param readConfig the configuration that it works with
 */
export const runInProcess = async (
  words: readonly string[],
  readConfig: () => Config,
  input = '',
): Promise<CliResult> => {
  const stdin = Readable.from(input === '' ? [] : [Buffer.from(input)])
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const printed = Promise.all([text(stdout), text(stderr)])
  const code = await runProgram({
    words,
    readConfig,
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout,
    stderr,
  })
  for (const stream of [stdout, stderr]) stream.end()
  const [out, err] = await printed
  return { code, stdout: out, stderr: err }
}
