import { temporaryFolder } from '../../test/support/run-folder.ts'
import { median } from '../load/sample.ts'
import { startService } from '../processes/service.ts'

/** Milliseconds from the start of the process until it listens. */
export type StartTimes = {
  /** With migrations to apply and keys to make. */
  readonly first: number
  /** Median of the starts after it. */
  readonly later: number
}

type Environment = Readonly<Record<string, string>>

/** @param env names an empty database; without one the data are embedded */
export const measureStarts = async (env: Environment, starts: number): Promise<StartTimes> => {
  const dataDir = temporaryFolder('data')
  const start = async (): Promise<number> => {
    const service = await startService(env, dataDir)
    await service.stop()
    return service.startMs
  }
  const first = await start()
  const later: number[] = []
  for (let index = 0; index < starts; index += 1) later.push(await start())
  return { first, later: median(later) }
}
