import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { postgresVersion } from './postgres-server.ts'
import { noteProcess, type Owner, temporaryFolder } from './run-folder.ts'
import { postgresUser } from './service-user.ts'
import { systemTool } from './system-tool.ts'
import { waitUntil } from './wait-until.ts'

/** A pgbouncer in transaction mode, on loopback, in front of one PostgreSQL. */
export type Pooler = {
  /** The target's URL with the pooler's address in place of the target's. */
  readonly url: string
  start(): Promise<void>
  /** Ends it at once, and every connection through it. */
  kill(): Promise<void>
}

/**
 * Starts a pooler; it ends with its owner.
 *
 * @param targetUrl a database of a server that asks for no password
 * @param swallowed start-up parameters that it takes and forgets, instead of refusing them
 * @throws {MissingTool} when the machine has no pgbouncer and it can't be installed
 */
export async function startPooler(
  owner: Owner,
  targetUrl: string,
  swallowed: readonly string[] = [],
): Promise<Pooler> {
  const program = await systemTool({ programs: ['pgbouncer'], debianPackage: 'pgbouncer' })
  const port = await freePort()
  const folder = writeConfiguration(new URL(targetUrl), port, swallowed)
  const url = new URL(targetUrl)
  url.hostname = '127.0.0.1'
  url.port = `${port}`
  let child: ChildProcess | undefined

  const pooler = {
    url: url.href,
    async start() {
      child = spawnPooler(program, folder)
      await waitUntil('pgbouncer', () => postgresVersion(url.href)).catch((cause: unknown) => {
        throw new Error(`pgbouncer did not start:\n${readFileSync(join(folder, 'log'), 'utf8')}`, {
          cause,
        })
      })
    },
    async kill() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
  owner.teardown(pooler.kill)
  await pooler.start()
  return pooler
}

function writeConfiguration(target: URL, port: number, swallowed: readonly string[]): string {
  const folder = temporaryFolder('pgbouncer')
  const users = join(folder, 'users.txt')
  const files = {
    'users.txt': `"${target.username}" ""\n`,
    'pgbouncer.ini': `[databases]
* = host=${target.hostname} port=${target.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = transaction
max_client_conn = 200
default_pool_size = 5
server_login_retry = 0.2
ignore_startup_parameters = ${swallowed.join()}
logfile = ${join(folder, 'log')}
`,
    log: '',
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const { uid, gid } = postgresUser()
  if (uid !== undefined && gid !== undefined) {
    for (const path of [folder, ...Object.keys(files).map((name) => join(folder, name))]) {
      chownSync(path, uid, gid)
    }
  }
  return folder
}

function spawnPooler(program: string, folder: string): ChildProcess {
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? ['-u', 'postgres'] : []
  const args = ['-q', ...user, join(folder, 'pgbouncer.ini')]
  const child = spawn(program, args, { cwd: folder, stdio: 'ignore' })
  noteProcess(child)
  return child
}
