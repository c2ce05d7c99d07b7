import { createDetailsTypeStore } from '../../src/stores/postgres/details-types.ts'
import { onEverySqlBackend } from '../support/sql-backends.ts'

const event = (type: 'authorization_details_type.updated' | 'authorization_details_type.removed') =>
  ({ type, outcome: 'success', actor: 'cli', origin: {} }) as const
const updated = event('authorization_details_type.updated')
const removed = event('authorization_details_type.removed')

onEverySqlBackend('types are created, replaced, listed and removed', async (t, backend) => {
  const store = createDetailsTypeStore(backend)
  t.strictSame(await store.list(), [])
  const schema = { type: 'object', properties: { amount: { type: 'string' } } }
  const payment = { type: 'payment', description: 'Make a payment', schema }
  const account = { type: 'account', description: 'See accounts', schema }

  await store.set({ ...payment, description: 'x' }, updated)
  await store.set(account, updated)
  await store.set(payment, updated)
  t.strictSame(await store.list(), [account, payment])

  t.equal(await store.remove('account', removed), true)
  t.equal(await store.remove('account', removed), false)
  t.strictSame(await store.list(), [payment])
  const events = await backend.db
    .selectFrom('audit_events')
    .select('type')
    .orderBy('occurred_at')
    .execute()
  t.strictSame(
    events.map(({ type }) => type),
    [updated, updated, updated, removed].map(({ type }) => type),
  )
})
