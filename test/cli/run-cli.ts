import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { noteProcess } from '../support/run-folder.ts'

/** What a command has printed, and its exit code. */
export type CliResult = {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const bootstrap = fileURLToPath(new URL('../../bootstrap.sh', import.meta.url))

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
