import { randomUUID } from 'node:crypto'

import type { AuditEventType } from '../../src/audit/catalogue.ts'
import { createClientSecret } from '../../src/secrets/client-secret.ts'
import { createRegistrationToken } from '../../src/secrets/registration-token.ts'
import { createClientStore } from '../../src/stores/postgres/clients.ts'
import { createRegistrationTokenStore } from '../../src/stores/postgres/registration-tokens.ts'
import { createSelfRegistrationStore } from '../../src/stores/postgres/self-registrations.ts'
import { makeNewClient } from '../support/new-client.ts'
import type { SqlBackend } from '../support/sql-backends.ts'
import { storeContract } from '../support/store-contract.ts'

const lifetime = () => 1000
const event = (type: AuditEventType, clientId = 'a') =>
  ({ type, outcome: 'success', actor: 'cli', clientId, origin: {} }) as const

const open = (backend: SqlBackend) => ({
  store: createSelfRegistrationStore(backend, lifetime),
  clients: createClientStore(backend, lifetime),
  tokens: createRegistrationTokenStore(backend),
})

/** A token for so many clients. */
const makeToken = async (backend: SqlBackend, maxUses: number | null, ttlSeconds = 60) => {
  const { digest } = createRegistrationToken('initial')
  const id = randomUUID()
  const { tokens } = open(backend)
  const created = event('registration_token.created')
  await tokens.create({ id, name: 'Partner', maxUses, ttlSeconds, digest }, created)
  return { id, digest }
}

/** A client that has registered itself. */
const registerClient = async (backend: SqlBackend, initial?: Buffer) => {
  const { digest: access } = createRegistrationToken('management')
  const { digest: secretDigest } = createClientSecret()
  const client = makeNewClient({ registeredBy: 'open', secretDigest })
  const registered = event('client.registered', client.id)
  const { store } = open(backend)
  return {
    id: client.id,
    access,
    outcome: await store.register(client, access, initial, registered),
  }
}

const typesOf = async ({ db }: SqlBackend, clientId: string) => {
  const rows = await db
    .selectFrom('audit_events')
    .select('type')
    .where('client_id', '=', clientId)
    .execute()
  return rows.map(({ type }) => type)
}

const contract = storeContract('the store of self-registrations', async ({ db }) => {
  await db.deleteFrom('registration_tokens').execute()
})

contract.rule(
  'a token lets in as many as it says, and who is refused leaves nothing',
  async (t, backend) => {
    const { id, digest } = await makeToken(backend, 2)
    const { store, clients, tokens } = open(backend)
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => registerClient(backend, digest)),
    )
    const entered = answers.filter(({ outcome }) => outcome === 'registered')
    t.equal(entered.length, 2)
    t.equal(await store.isUsable(digest), false)
    t.match(await tokens.list(), [{ id, uses: 2, maxUses: 2, revokedAt: null }])
    for (const { id: clientId, outcome } of answers) {
      const isIn = outcome === 'registered'
      t.equal((await clients.find(clientId)) !== undefined, isIn)
      t.strictSame(await typesOf(backend, clientId), isIn ? ['client.registered'] : [])
    }
  },
)

contract.rule(
  'a token for any number lets in any number until it is revoked',
  async (t, backend) => {
    const { id, digest } = await makeToken(backend, null)
    const { store, tokens } = open(backend)
    for (let time = 0; time < 3; time += 1) {
      t.equal((await registerClient(backend, digest)).outcome, 'registered')
    }
    const revoked = await tokens.revoke(id, event('registration_token.revoked'))
    t.ok(revoked?.revokedAt)
    t.strictSame(await tokens.revoke(id, event('registration_token.revoked')), revoked)
    t.equal(await tokens.revoke(randomUUID(), event('registration_token.revoked')), undefined)
    t.equal(await store.isUsable(digest), false)
    t.equal((await registerClient(backend, digest)).outcome, 'refused')
  },
)

contract.rule('a token that has expired lets in nobody', async (t, backend) => {
  const { digest } = await makeToken(backend, 1, 0)
  t.equal(await open(backend).store.isUsable(digest), false)
  t.equal((await registerClient(backend, digest)).outcome, 'refused')
})

contract.rule(
  'a client is found by its own token alone, unless it is disabled',
  async (t, backend) => {
    const { store, clients } = open(backend)
    const one = await registerClient(backend)
    const other = await registerClient(backend)
    t.equal((await store.find(one.id, one.access))?.id, one.id)
    t.equal(await store.find(one.id, other.access), undefined)
    t.equal(await store.find('first-party', one.access), undefined)
    await clients.disable(one.id, event('client.disabled', one.id))
    t.equal(await store.find(one.id, one.access), undefined)
    t.equal(await store.remove(one.id, one.access, event('client.deleted', one.id)), false)
  },
)

contract.rule(
  'what is decided of a replacement is written as a whole, or not at all',
  async (t, backend) => {
    const { store, clients } = open(backend)
    const { id, access } = await registerClient(backend)
    const before = await clients.find(id)
    const { digest } = createClientSecret()
    const rename =
      (secrets: 'keep' | 'drop' | { digest: Buffer }) => (present: NonNullable<typeof before>) => ({
        ...{ client: { ...present, name: 'Newer' }, secrets },
        event: event('client.updated', id),
      })
    t.equal(
      await store.replace(id, createRegistrationToken('management').digest, rename('drop')),
      false,
    )
    const fail = () => {
      throw new Error('no')
    }
    await t.rejects(store.replace(id, access, fail), { message: 'no' })
    t.strictSame(await clients.find(id), before)
    t.equal(await store.replace(id, access, rename('keep')), true)
    t.strictSame(await clients.find(id), { ...before, name: 'Newer' })
    t.equal(await store.replace(id, access, rename({ digest })), true)
    t.strictSame((await clients.find(id))?.secretDigests, [{ digest, expiresAt: null }])
    t.equal(await store.replace(id, access, rename('drop')), true)
    t.strictSame((await clients.find(id))?.secretDigests, [])
    t.equal((await store.find(id, access))?.id, id, 'its token stays')
  },
)

contract.rule('a client is removed once, and an entry refuses its tokens', async (t, backend) => {
  const { store, clients } = open(backend)
  const { id, access } = await registerClient(backend)
  const removals = await Promise.all(
    Array.from({ length: 5 }, () => store.remove(id, access, event('client.deleted', id))),
  )
  t.equal(removals.filter((isRemoved) => isRemoved).length, 1)
  t.equal(await clients.find(id), undefined)
  t.strictSame((await typesOf(backend, id)).sort(), ['client.deleted', 'client.registered'])
  const entry = await backend.db
    .selectFrom('revocations')
    .select(['kind', 'lifted'])
    .where('value', '=', id)
    .executeTakeFirst()
  t.strictSame(entry, { kind: 'client', lifted: false })
})

contract.run()
