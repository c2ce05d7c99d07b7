import { spawnSync } from 'node:child_process'

/** The user that a server runs as; empty when it runs as the current one. */
export type ServiceUser = { readonly uid?: number; readonly gid?: number }

/**
 * PostgreSQL refuses to run as root: as root its servers run as the user `postgres`, which is made
 * when the machine does not know it.
 *
 * @throws {Error} one sentence that says what to do when the user can't be made
 */
export function postgresUser(): ServiceUser {
  if (process.getuid?.() !== 0) return {}
  const known = lookUp()
  if (known !== undefined) return known
  spawnSync('groupadd', ['--system', 'postgres'])
  spawnSync('useradd', ['--system', '--no-create-home', '--gid', 'postgres', 'postgres'])
  const made = lookUp()
  if (made !== undefined) return made
  throw new Error(
    'PostgreSQL does not run as root: make a user named postgres, run the tests as another user, or set TEST_DATABASE_URL',
  )
}

function lookUp(): ServiceUser | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => {
    const { status, stdout } = spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' })
    return status === 0 ? Number.parseInt(stdout, 10) : undefined
  })
  return uid === undefined || gid === undefined ? undefined : { uid, gid }
}
