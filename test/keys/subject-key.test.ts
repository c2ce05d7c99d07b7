import { randomBytes } from 'node:crypto'
import { createSubjectKey } from '../../src/keys/subject-key.ts'
import { createSealer } from '../../src/secrets/sealer.ts'
import { createSubjectKeyStore } from '../../src/stores/postgres/subject-key.ts'
import type { SqlBackend } from '../support/sql-backends.ts'
import { storeContract } from '../support/store-contract.ts'
import { byCommand, openNode } from './key-fixture.ts'

const { rule, run } = storeContract('the subject key', async ({ db }) => {
  await db.deleteFrom('service_keys').execute()
  await db.deleteFrom('audit_events').execute()
})

const eventsIn = ({ db }: SqlBackend) =>
  db.selectFrom('audit_events').select(['type', 'actor', 'details']).orderBy('type').execute()

rule('is made once, by whichever node starts first, and never again', async (t, backend) => {
  const sealer = createSealer([randomBytes(32)])
  const nodes = Array.from({ length: 5 }, () =>
    createSubjectKey(createSubjectKeyStore(backend), sealer),
  )
  t.throws(() => nodes[0]?.current(), TypeError)
  await Promise.all(nodes.map((node) => node.start()))
  const [first, ...others] = nodes.map((node) => node.current())
  t.ok(others.every((key) => first?.equals(key)))
  t.strictSame(await eventsIn(backend), [
    { type: 'key.created', actor: null, details: { service_key: 'subject' } },
  ])
})

rule(
  'is the same after it was sealed again, and opens under the new key alone',
  async (t, backend) => {
    const [older, newer] = [randomBytes(32), randomBytes(32)]
    const store = createSubjectKeyStore(backend)
    const before = createSubjectKey(store, createSealer([older]))
    await before.start()

    const { administration } = openNode(t, backend, [newer, older])
    t.equal(await administration.reseal(byCommand), 1)
    t.equal(await administration.reseal(byCommand), 0)

    const after = createSubjectKey(store, createSealer([newer]))
    await after.start()
    t.ok(after.current().equals(before.current()))
    await t.rejects(createSubjectKey(store, createSealer([older])).start(), { name: 'SealError' })
    t.strictSame(await eventsIn(backend), [
      { type: 'key.created', actor: null, details: { service_key: 'subject' } },
      { type: 'key.resealed', actor: 'cli', details: { service_key: 'subject' } },
    ])
  },
)

run()
