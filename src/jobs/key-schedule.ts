import type { ScheduleReport } from '../keys/scheduled-rotation.ts'
import { createRepetition, type Repetition } from './repetition.ts'

type Stuck = ScheduleReport['stuck'][number]

type Options = {
  /** Does what is due; may run on several nodes at once. */
  readonly run: () => Promise<ScheduleReport>
  readonly intervalMs: number
  /** Told at every run: somebody has to do something. */
  readonly onStuck: (stuck: Stuck) => void
  readonly onFailure: (error: unknown) => void
}

/**
 * Lets keys rotate by themselves, on every node, without a leader. A run that fails changes
 * nothing: the present keys go on signing, and the next run finds what is due.
 */
export const createKeySchedule = ({ run, intervalMs, onStuck, onFailure }: Options): Repetition =>
  createRepetition(
    async () => {
      const { stuck } = await run()
      stuck.forEach(onStuck)
    },
    intervalMs,
    onFailure,
  )
