import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { noteProcess } from './run-folder.ts'
import { postgresUser } from './service-user.ts'

/** @param data what it makes in the server's folder */
export type MakeCluster = (
  binaries: PostgresBinaries,
  folder: string,
  data: string,
) => Promise<void>

/** A new, empty one. Not in one go: what waits beside it for an answer of a server would find its time over. */
export async function makeCluster(
  binaries: PostgresBinaries,
  folder: string,
  data: string,
): Promise<void> {
  const user = postgresUser()
  mkdirSync(data, { mode: 0o700 })
  if (user.uid !== undefined && user.gid !== undefined) {
    for (const path of [folder, data]) chownSync(path, user.uid, user.gid)
  }
  const args = ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--no-sync']
  const initdb = spawn(join(binaries.folder, 'initdb'), [...args, `--locale=${unicodeLocale()}`], {
    ...user,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  noteProcess(initdb)
  let complaint = ''
  initdb.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const [status] = await once(initdb, 'close')
  if (status !== 0) throw new Error(`initdb ended with ${status}: ${complaint}`)
}

/** A locale in which lower() knows more than ASCII, as production databases have. */
function unicodeLocale(): string {
  const known = spawnSync('locale', ['-a'], { encoding: 'utf8' }).stdout?.split('\n') ?? []
  return known.find((name) => /^(?:C|en_US)\.utf-?8$/i.test(name)) ?? 'C'
}

/**
 * A copy of the cluster of a server that is stopped, which follows another one as its standby.
 *
 * @param from the data of the server
 * @param primaryPort where the standby finds what it follows, on loopback
 */
export const copyAsStandby =
  (from: string, primaryPort: number): MakeCluster =>
  async (_binaries, folder, data) => {
    const { uid, gid } = postgresUser()
    if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid)
    const copy = spawn('cp', ['-a', from, data], { stdio: ['ignore', 'ignore', 'inherit'] })
    const [status] = await once(copy, 'close')
    if (status !== 0) throw new Error(`cp ended with ${status}`)
    rmSync(join(data, 'postmaster.pid'), { force: true })
    const primary = `host=127.0.0.1 port=${primaryPort} user=postgres application_name=standby`
    appendFileSync(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${primary}'\n`)
    writeFileSync(join(data, 'standby.signal'), '')
  }
