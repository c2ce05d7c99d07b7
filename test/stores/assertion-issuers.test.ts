import type { AssertionIssuer } from '../../src/clients/assertion-issuer.ts'
import { createAssertionIssuerStore } from '../../src/stores/postgres/assertion-issuers.ts'
import { onEverySqlBackend } from '../support/sql-backends.ts'

const event = (type: 'assertion_issuer.updated' | 'assertion_issuer.removed') =>
  ({ type, outcome: 'success', actor: 'cli', origin: {} }) as const

const published: AssertionIssuer = {
  issuer: 'https://a.example',
  jwks: null,
  jwksUri: 'https://a.example/jwks.json',
  clients: ['c1', 'c2'],
  audience: ['https://api.example'],
  scope: ['read'],
  subject: 'external',
  assertionAudience: 'issuer',
  maxLifetimeSeconds: 300,
}
const given: AssertionIssuer = {
  ...published,
  ...{ issuer: 'b', jwksUri: null, jwks: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'x' }] } },
  ...{ scope: [], subject: 'user', assertionAudience: 'legacy', maxLifetimeSeconds: 60 },
}

onEverySqlBackend('issuers are created, replaced, found, listed, removed', async (t, backend) => {
  const store = createAssertionIssuerStore(backend)
  t.equal(await store.find('b'), undefined)
  await store.set({ ...published, scope: ['x'] }, event('assertion_issuer.updated'))
  await store.set(given, event('assertion_issuer.updated'))
  await store.set(published, event('assertion_issuer.updated'))
  t.strictSame(await store.list(), [given, published])
  t.strictSame(await store.find('b'), given)

  t.equal(await store.remove('b', event('assertion_issuer.removed')), true)
  t.equal(await store.remove('b', event('assertion_issuer.removed')), false)
  t.strictSame(await store.list(), [published])
  const events = await backend.db.selectFrom('audit_events').select('type').execute()
  t.equal(events.length, 4)
})
