import t from 'tap'
import { basic, createMachine, postForm } from '../endpoints/oauth/requests.ts'
import { connect, register, startService } from '../support/service.ts'

// A proxy that is trusted stands before the service, so a test can come from anywhere.
const service = await startService(t, { TRUSTED_PROXIES: '127.0.0.1' })
const { app, deps } = service
const db = await connect(t, service)
const machine = await createMachine(deps, { grantTypes: ['refresh_token'] })
const { refresh_token: foreign } = await register(app)

const guess = (id: string, address: string) =>
  postForm(app, '/token', 'grant_type=client_credentials', {
    ...basic(id, crypto.randomUUID()),
    'x-forwarded-for': address,
  })
const times = <T>(count: number, act: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => act(index))

await Promise.all([
  // One owner of a usual IPv6 network has 2^64 addresses.
  ...times(50, (index) => guess(machine.id, `2001:db8::${index.toString(16)}`)),
  ...times(50, (index) => guess(machine.id, `192.0.2.${index}`)),
  ...times(50, (index) => guess(machine.id, `fe80::1%${'z'.repeat(index + 1)}`)),
  ...times(50, (index) => guess(`nobody-${index}`, '198.51.100.7')),
  ...times(50, (index) =>
    postForm(
      app,
      '/token',
      { grant_type: 'refresh_token', refresh_token: foreign },
      { ...machine.headers, 'x-forwarded-for': `203.0.113.${index}`, 'user-agent': `${index}` },
    ),
  ),
])
await deps.auditWriter.close()

t.test('whoever guesses from all over one network fills no table of events', async (t) => {
  const events = await db
    .selectFrom('audit_events')
    .select(['type', 'address'])
    .where('outcome', '=', 'failure')
    .execute()
  t.strictSame(
    events.map(({ type, address }) => `${type} ${address?.replace(/[.:][^.:]*$/, '')}`).sort(),
    [
      'client.authentication_failed 192.0.2',
      'client.authentication_failed 198.51.100',
      'client.authentication_failed 2001:db8:',
      'client.authentication_failed fe80:',
      'family.refused_foreign 203.0.113',
    ],
  )
})

t.test('an address is bounded: a zone of the sender’s own making is not part of it', async (t) => {
  const { address } = await db
    .selectFrom('audit_events')
    .select('address')
    .where('address', 'like', 'fe80%')
    .executeTakeFirstOrThrow()
  t.equal(address, 'fe80::1')
})
