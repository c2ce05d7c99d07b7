import { setTimeout as delay } from 'node:timers/promises'
import type { LogoutNotice, LogoutNoticeStore } from '../accounts/logout-notices.ts'
import { createRepetition, type Repetition } from './repetition.ts'

/** What came of an attempt; `dropped`: the client does not want to hear of it any more. */
export type LogoutOutcome = 'delivered' | 'failed' | 'dropped'

type Options = {
  readonly store: LogoutNoticeStore
  /** Tells one client. Must never reject. */
  readonly send: (notice: LogoutNotice) => Promise<LogoutOutcome>
  readonly intervalMs: number
  readonly onAttempt: (notice: LogoutNotice, outcome: LogoutOutcome) => void
  readonly onFailure: (error: unknown) => void
}

/** Seconds between attempts to tell a client: nine attempts in about eight hours. */
export const logoutRetryDelaysSeconds = [15, 30, 120, 600, 1800, 3600, 7200, 14_400] as const

/** Clients that are told something at the same time, each one thing at a time. */
const mostAtOnce = 16

/**
 * Tells clients of the end of sessions. Runs on every node; the store sees to it that one acts. A
 * client that hangs keeps its own notices waiting, and nobody else's.
 */
export const createLogoutDelivery = (options: Options): Repetition => {
  const { store, intervalMs, onFailure } = options
  const running = new Map<string, Promise<void>>()
  let closed = false

  const deliver = async (notice: LogoutNotice): Promise<void> => {
    const outcome = await options.send(notice)
    if (outcome !== 'failed') await store.settle(notice.id)
    options.onAttempt(notice, outcome)
  }
  const begin = (notice: LogoutNotice): void => {
    const { clientId } = notice
    running.set(
      clientId,
      deliver(notice)
        .catch(onFailure)
        .finally(() => running.delete(clientId)),
    )
  }
  const deliverAll = async (): Promise<void> => {
    while (!closed) {
      const notice =
        running.size < mostAtOnce
          ? await store.claim(logoutRetryDelaysSeconds, [...running.keys()])
          : undefined
      if (notice !== undefined) begin(notice)
      else if (running.size === 0) return
      // Those that are slow do not keep what has come since from being seen.
      else await Promise.race([...running.values(), delay(intervalMs, undefined, { ref: false })])
    }
  }
  const repetition = createRepetition(deliverAll, intervalMs, onFailure)

  return {
    start: repetition.start,
    async close() {
      closed = true
      await repetition.close()
      await Promise.all(running.values())
    },
  }
}
