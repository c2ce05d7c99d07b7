import { spawnSync } from 'node:child_process'
import type { PostgresServer } from './postgres-server.ts'
import { postgresUser } from './service-user.ts'
import { systemTool } from './system-tool.ts'

/**
 * Limits how large files processes of a server can make, and those that they start: to them it is a
 * disk that is full.
 * @param pids all of the server's when absent
 */
export const limitFiles = async (
  postgres: PostgresServer,
  bytes: number | 'unlimited',
  pids = postgres.pids(),
): Promise<void> => {
  const prlimit = await systemTool({ programs: ['prlimit'], debianPackage: 'util-linux' })
  // Only their own user may limit them.
  const options = { ...postgresUser(), encoding: 'utf8' } as const
  for (const pid of pids) {
    const words = ['--pid', `${pid}`, `--fsize=${bytes}:unlimited`]
    const { status, stderr } = spawnSync(prlimit, words, options)
    if (status !== 0) throw new Error(`prlimit ended with ${status}: ${stderr}`)
  }
}
