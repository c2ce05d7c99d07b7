/**
 * npm test: starts real servers, runs every test file against them, counts, and leaves nothing.
 *
 *   npm test [-- --full] [test files or folders …]
 *
 * `--full` adds the slow suites of test/full. TEST_DATABASE_URL and TEST_REDIS_URL name servers to
 * use instead of those that the run would start. Ends with the line `N passed, N failed`.
 */
import { globSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { startBackends } from './support/backends.ts'
import { describeError, describeFile, describeRun } from './support/report.ts'
import { openRun } from './support/run-folder.ts'
import { runTestFile, type TestedFile, testEnvironment } from './support/test-file.ts'

const fileLimitMs = { normal: 240_000, full: 900_000 }
const filesAtOnce = Math.min(4, availableParallelism())
const signalCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

const run = openRun()
const stopping = new AbortController()
process.env.TEST_RUN_FOLDER = run.folder
for (const [signal, code] of Object.entries(signalCodes)) {
  // Ctrl-C arrives twice: from the terminal, and passed on by npm.
  process.on(signal, () => {
    if (stopping.signal.aborted) return
    stopping.abort()
    void run.close().finally(() => process.exit(code))
  })
}
try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!stopping.signal.aborted) console.error(describeError(error))
  process.exitCode = 1
}
await run.close()

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { full: { type: 'boolean', default: false } },
  })
  const files = positionals.length > 0 ? positionals.flatMap(named) : everyFile(values.full)
  if (files.length === 0) throw new Error(`There is no test in ${positionals.join(', ')}`)
  const backends = await startBackends()
  for (const line of backends.lines) console.log(line)
  try {
    const tested = await runAll(
      files,
      testEnvironment({ ...backends.env, TEST_RUN_FOLDER: run.folder, TMPDIR: run.folder }),
    )
    if (!stopping.signal.aborted) console.log(describeRun(tested))
    return tested.every(hasPassed) ? 0 : 1
  } finally {
    if (!stopping.signal.aborted) await backends.close()
  }
}

/** Test files of an argument, which is one of them or a folder. */
function named(argument: string): string[] {
  const stat = statSync(argument, { throwIfNoEntry: false })
  if (stat === undefined) throw new Error(`There is no test file or folder ${argument}`)
  return stat.isDirectory() ? globSync(`${argument}/**/*.test.ts`).sort() : [argument]
}

function everyFile(full: boolean): string[] {
  return named('test').filter((file) => full || !isSlow(file))
}

function isSlow(file: string): boolean {
  return file.includes('test/full/')
}

/** Runs the files, a few side by side; each is reported as it ends. */
async function runAll(
  files: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<readonly TestedFile[]> {
  const waiting = [...files]
  const tested: TestedFile[] = []
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const timeoutMs = isSlow(file) ? fileLimitMs.full : fileLimitMs.normal
      const result = await runTestFile(file, { env, timeoutMs, folder: run.folder })
      if (stopping.signal.aborted) return
      tested.push(result)
      console.log(describeFile(result))
    }
  }
  await Promise.all(Array.from({ length: filesAtOnce }, work))
  return tested
}

function hasPassed({ verdict }: TestedFile): boolean {
  return verdict.failures.length === 0
}
