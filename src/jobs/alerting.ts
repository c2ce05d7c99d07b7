import type { Alert, AlertStore, ClaimedAlert } from '../audit/alert.ts'
import { decideAlerts } from '../audit/alert-decision.ts'
import type { AlertRule } from '../audit/alert-rules.ts'
import type { WebhookOutcome } from '../audit/webhook.ts'
import { createRepetition, type Repetition } from './repetition.ts'

/** Sends one alert to whoever receives them. Must never reject. */
export type SendAlert = (alert: Alert, stop: AbortSignal) => Promise<WebhookOutcome>

type Options = {
  readonly store: AlertStore
  readonly rules: readonly AlertRule[]
  /** Undefined: alerts stand in the audit log only. */
  readonly send: SendAlert | undefined
  readonly intervalMs: number
  readonly onRaised: (alert: Alert) => void
  readonly onAttempt: (alert: ClaimedAlert, outcome: WebhookOutcome) => void
  readonly onFailure: (error: unknown) => void
}

/** On close an attempt that is under way is given up; it is made again by whoever comes next. */
export type Alerting = Repetition

/** Seconds between attempts to deliver an alert: nine attempts in about fifteen hours. */
export const retryDelaysSeconds = [15, 60, 300, 900, 3600, 7200, 14_400, 28_800] as const

/** Watches for alerts and delivers them. Runs on every node; the store sees to it that one acts. */
export const createAlerting = (options: Options): Alerting => {
  const { store, rules, send, onRaised, onAttempt, onFailure } = options
  const stop = new AbortController()

  const watch = async (): Promise<void> => {
    const alerts = await store.raise(rules, decideAlerts, send !== undefined)
    alerts.forEach(onRaised)
  }
  const deliver = async (): Promise<void> => {
    while (send !== undefined && !stop.signal.aborted) {
      const alert = await store.claim(retryDelaysSeconds)
      if (alert === undefined) return
      const outcome = await send(alert, stop.signal)
      if (outcome.delivered) await store.markDelivered(alert.id)
      if (outcome.delivered || !stop.signal.aborted) onAttempt(alert, outcome)
    }
  }
  // Apart, so that a receiver that hangs keeps nothing from being noticed.
  const loops = [watch, deliver].map((act) => createRepetition(act, options.intervalMs, onFailure))

  return {
    start() {
      for (const loop of loops) loop.start()
    },
    async close() {
      stop.abort()
      await Promise.all(loops.map(({ close }) => close()))
    },
  }
}
