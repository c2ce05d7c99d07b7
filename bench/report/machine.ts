import { spawnSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'

/** Where a run took place. */
export type Machine = {
  readonly processor: string
  readonly cores: number
  readonly memoryGb: number
  readonly system: string
  readonly node: string
  /** Runnable processes in the minute before the run: what else the machine was doing. */
  readonly loadBefore: number
}

export const describeMachine = (): Machine => ({
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  memoryGb: Math.round(totalmem() / 1e9),
  system: `${type()} ${release()}`,
  node: process.version,
  loadBefore: loadavg()[0] ?? 0,
})

/** The commit that was measured, and whether something differed from it. */
export const describeCommit = (): string => {
  const commit = git(['rev-parse', '--short=12', 'HEAD'])
  if (commit === '') return 'unknown'
  const changed = git(['status', '--porcelain', '--', 'src', 'migrations', 'package-lock.json'])
  return changed === '' ? commit : `${commit} with local changes`
}

const root = fileURLToPath(new URL('../../', import.meta.url))

const git = (args: readonly string[]): string =>
  (spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout ?? '').trim()
