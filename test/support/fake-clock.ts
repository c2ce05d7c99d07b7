import { chmodSync, globSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './run-folder.ts'
import { systemTool } from './system-tool.ts'

/** A clock for processes of their own, which can be set while they run. */
export type FakeClock = {
  /** What makes a process live by this clock. */
  readonly environment: Readonly<Record<string, string>>
  /** Sets it to so many seconds beside the machine's. */
  set(offsetSeconds: number): void
}

/** A clock that begins right. What measures spans is left as it is: no wrong clock runs faster. */
export const createFakeClock = async (): Promise<FakeClock> => {
  await systemTool({ programs: ['faketime'], debianPackage: 'faketime' })
  const [library] = globSync('/usr/lib/{*/,}faketime/libfaketimeMT.so.1')
  if (library === undefined) throw new Error('faketime came without its library')
  const folder = temporaryFolder('clock')
  // PostgreSQL reads it as another user.
  chmodSync(folder, 0o755)
  const file = join(folder, 'offset')
  const set = (offsetSeconds: number): void => {
    writeFileSync(`${file}.new`, `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}s\n`)
    renameSync(`${file}.new`, file)
  }
  set(0)
  return {
    environment: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    set,
  }
}
