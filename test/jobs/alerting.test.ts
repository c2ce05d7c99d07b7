import { type Test, test } from 'tap'
import type { Alert } from '../../src/audit/alert.ts'
import { alertRules } from '../../src/audit/alert-rules.ts'
import { createAlerting, retryDelaysSeconds, type SendAlert } from '../../src/jobs/alerting.ts'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import { createAuditStore } from '../../src/stores/postgres/audit.ts'
import { createAlertStore } from '../../src/stores/postgres/audit-alerts.ts'
import { openPostgres } from '../support/sql-backends.ts'
import { waitUntil } from '../support/wait-until.ts'

/** Alerting on a real database, which can be made to fail. */
const open = async (t: Test, send?: SendAlert) => {
  const backend = await openPostgres(t)
  const store = createAlertStore(backend)
  const state: { failure: Error | undefined } = { failure: undefined }
  const told = { raised: [] as Alert[], failures: [] as unknown[], attempts: [] as unknown[] }
  const alerting = createAlerting({
    store: {
      ...store,
      async raise(...asked) {
        if (state.failure !== undefined) throw state.failure
        return store.raise(...asked)
      },
    },
    rules: alertRules,
    send,
    intervalMs: 10,
    onRaised: (alert) => told.raised.push(alert),
    onAttempt: ({ attempt }, outcome) => told.attempts.push([attempt, outcome]),
    onFailure: (error) => told.failures.push(error),
  })
  t.teardown(() => alerting.close())
  const grantRole = (subject: string) =>
    createAuditStore(backend).append([
      { type: 'user.role_granted', outcome: 'success', actor: 'cli', subject, origin: {} },
    ])
  return { alerting, store, state, told, grantRole }
}

test('alerting: while the database is away it goes on trying, then raises what it missed', async (t) => {
  const { alerting, state, told, grantRole } = await open(t)
  state.failure = new Unavailable('the database does not answer')
  alerting.start()
  await grantRole('anna')
  await waitUntil('several failures', () => told.failures.length > 3)
  t.strictSame(told.raised, [])
  state.failure = undefined
  await waitUntil('the alert', () => told.raised.length > 0)
  t.match(told.raised, [{ rule: 'admin_change', facts: { subject: 'anna' } }])
})

test('alerting: a receiver that hangs holds up neither what is noticed nor the end', async (t) => {
  const { alerting, told, grantRole } = await open(
    t,
    (_alert, stop) =>
      new Promise((resolve) => {
        stop.addEventListener('abort', () => resolve({ delivered: false, reason: 'stopped' }))
      }),
  )
  alerting.start()
  await grantRole('anna')
  await waitUntil('the first alert', () => told.raised.length === 1)
  await grantRole('bert')
  await waitUntil('the second alert', () => told.raised.length === 2)
  await alerting.close()
  t.strictSame(told.attempts, [], 'an attempt that was given up is no failure of the receiver')
})

test('alerting: each attempt is told with what came of it', async (t) => {
  const refused = { delivered: false, reason: 'the receiver answered 500' } as const
  const { alerting, told, grantRole } = await open(t, async ({ facts }) =>
    facts.subject === 'anna' ? refused : { delivered: true },
  )
  alerting.start()
  await grantRole('anna')
  await waitUntil('the first attempt', () => told.attempts.length === 1)
  await grantRole('bert')
  await waitUntil('the second attempt', () => told.attempts.length === 2)
  t.strictSame(told.attempts, [
    [1, refused],
    [1, { delivered: true }],
  ])
})

test('alerting: what was not started, or has ended, does nothing', async (t) => {
  const { alerting, store, told, grantRole } = await open(t, async () => ({ delivered: true }))
  alerting.start()
  await alerting.close()
  await grantRole('anna')
  t.strictSame(told, { raised: [], failures: [], attempts: [] })
  t.equal(await store.claim(retryDelaysSeconds), undefined)
})

test('alerting: delays grow, and the first is longer than an attempt may take', async (t) => {
  t.ok(retryDelaysSeconds.every((delay, index) => delay > (retryDelaysSeconds[index - 1] ?? 10)))
})
