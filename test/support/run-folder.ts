import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * Everything a test run leaves on the machine is one folder: temporary files, and a note of every
 * process that it started. A small shell waits until the runner has ended, in whichever way it
 * ends, then stops the noted processes and removes the folder.
 */
const sweeper = `
cat >/dev/null
tries=0
while [ "$tries" -lt 50 ]; do
  alive=no
  for note in "$1"/processes/*; do
    [ -e "$note" ] || continue
    read -r signal target <"$note"
    kill -s 0 -- "$target" || continue
    alive=yes
    [ "$tries" -gt 0 ] || kill -s "$signal" -- "$target"
    [ "$tries" -lt 49 ] || kill -s KILL -- "$target"
  done
  [ "$alive" = yes ] || break
  tries=$((tries + 1))
  sleep 0.1
done
rm -rf "$1"
`

/** A test run in progress; `close` stops its processes and removes its folder. */
export type Run = { readonly folder: string; close(): Promise<void> }

/** Makes the folder of a run and the shell that will sweep it. */
export function openRun(): Run {
  const folder = mkdtempSync(join(readableByAll(tmpdir()) ? tmpdir() : '/tmp', 'tessera-'))
  // PostgreSQL runs as another user when the tests run as root, and has to pass through.
  chmodSync(folder, 0o755)
  mkdirSync(join(folder, 'processes'))
  const shell = spawn('sh', ['-c', sweeper, 'sh', folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const swept = once(shell, 'exit')
  return {
    folder,
    async close() {
      shell.stdin.end()
      await swept
    },
  }
}

/** Who a server belongs to: a test, at whose end it is ended. */
export type Owner = { teardown(end: () => unknown): void }

/** The run itself: what belongs to it is ended by the sweeping. */
export const ownedByRun: Owner = { teardown: () => {} }

/** The folder of the run that the current test belongs to. */
export function runFolder(): string {
  const folder = process.env.TEST_RUN_FOLDER
  if (folder === undefined) {
    throw new Error('This test needs what the runner starts: npm test -- <test file>')
  }
  return folder
}

/** A new empty folder, removed when the run ends. */
export function temporaryFolder(name: string): string {
  return mkdtempSync(join(runFolder(), `${name}-`))
}

/**
 * Notes a process, so that it ends with the run at the latest.
 *
 * @param signal what ends it; a group is signalled as a whole
 * @returns a function that strikes the note out; called on its own when the process ends
 */
export function noteProcess(
  child: ChildProcess,
  { signal = 'KILL', group = false, folder = runFolder() } = {},
): () => void {
  const note = join(folder, 'processes', randomUUID())
  if (child.pid === undefined) return () => {}
  writeFileSync(note, `${signal} ${group ? -child.pid : child.pid}\n`)
  const strike = () => rmSync(note, { force: true })
  if (!group) child.once('exit', strike)
  return strike
}

/** Whether every user may pass through the folder and read it. */
export function readableByAll(path: string): boolean {
  const others = statSync(path).mode & 0o5
  if (others !== 0o5) return false
  const parent = dirname(path)
  return parent === path || readableByAll(parent)
}

/** Whether the file is there and may be executed by the current user. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
