import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Resident memory of a process, in MB (10^6 bytes). */
export const residentMegabytes = (pid: number): number => (residentKibibytes(pid) * 1024) / 1e6

// A small Linux may have no ps, and only Linux has /proc.
const residentKibibytes = (pid: number): number => {
  if (process.platform === 'linux') {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1])
  }
  return Number(spawnSync('ps', ['-o', 'rss=', '-p', `${pid}`], { encoding: 'utf8' }).stdout)
}
