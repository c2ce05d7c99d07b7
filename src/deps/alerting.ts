import { alertRules } from '../audit/alert-rules.ts'
import { postWebhook, signAlert } from '../audit/webhook.ts'
import { type Alerting, createAlerting, type SendAlert } from '../jobs/alerting.ts'
import type { Foundation } from './foundation.ts'

export type AlertOptions = {
  /** Between two looks at the events and at the outbox; shorter in tests. */
  readonly alertIntervalMs?: number
}

const webhookTimeoutMs = 5000

/** Alerts from audit events, and their receiver where one is configured. */
export const joinAlerting = (
  foundation: Foundation,
  { alertIntervalMs = 5000 }: AlertOptions,
): Alerting => {
  const { stores, logger, metrics, warn } = foundation
  return createAlerting({
    store: stores.alerts,
    rules: alertRules,
    send: createSender(foundation),
    intervalMs: alertIntervalMs,
    onRaised: ({ rule, id }) => {
      metrics.count('alerts', { rule })
      logger.warn({ rule, alert: id }, 'an alert was raised')
    },
    onAttempt: ({ id, attempt }, outcome) => {
      metrics.count('alertDeliveries', { outcome: outcome.delivered ? 'delivered' : 'failed' })
      if (!outcome.delivered) {
        const { reason } = outcome
        logger.warn({ alert: id, attempt, reason }, 'an alert could not be delivered')
      }
    },
    onFailure: warn('alerts could not be looked after'),
  })
}

const createSender = ({ config, clock }: Foundation): SendAlert | undefined => {
  const { alertWebhookUrl, alertWebhookKeys, issuer } = config
  if (alertWebhookUrl === undefined) return undefined
  const url = new URL(alertWebhookUrl)
  return (alert, stop) =>
    postWebhook(url, signAlert(alert, issuer, alertWebhookKeys, clock()), webhookTimeoutMs, stop)
}
