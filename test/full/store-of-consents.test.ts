import { randomUUID } from 'node:crypto'
import { createConsentStore } from '../../src/stores/postgres/consents.ts'
import { act, entryLifetime, openAccountStores, withoutAudit } from '../accounts/account-rows.ts'
import { seedClient } from '../support/seeds.ts'
import type { SqlBackend } from '../support/sql-backends.ts'
import { storeContract } from '../support/store-contract.ts'

const { rule, run } = storeContract('consents')

const open = async (backend: SqlBackend) => {
  const accounts = await openAccountStores(backend)
  const consents = createConsentStore(backend, () => entryLifetime)
  for (const id of ['app', 'other']) await seedClient(backend, id)
  const { id: userId } = await accounts.createUser()
  const grant = (clientId: string, scope: string[]) =>
    consents.grant({ userId, clientId, scope, audience: [], authorizationDetails: [] }, act)
  return { ...accounts, consents, userId, grant }
}

rule('what is allowed adds up, at the time of the last time', async (t, backend) => {
  const { consents, userId, events } = await open(backend)
  const base = { userId, clientId: 'app' }
  const payment = { type: 'payment', amount: '10' }
  await consents.grant(
    {
      ...base,
      scope: ['b', 'a'],
      audience: ['https://a.example'],
      authorizationDetails: [payment],
    },
    act,
  )
  const first = await consents.find(userId, 'app')
  backend.moveTime(60)
  await consents.grant(
    {
      ...base,
      scope: ['c', 'a'],
      audience: ['https://b.example', 'https://a.example'],
      authorizationDetails: [{ amount: '10', type: 'payment' }, { type: 'account' }],
    },
    act,
  )
  const second = await consents.find(userId, 'app')
  t.strictSame(second, {
    ...base,
    scope: ['a', 'b', 'c'],
    audience: ['https://a.example', 'https://b.example'],
    authorizationDetails: second?.authorizationDetails,
    grantedAt: second?.grantedAt,
  })
  t.same(
    new Set(second?.authorizationDetails.map(({ type }) => type)),
    new Set(['payment', 'account']),
  )
  t.equal(second?.authorizationDetails.length, 2, 'the same detail stands once')
  t.ok((second?.grantedAt ?? 0) > (first?.grantedAt ?? 0))
  const told = (await events(userId)).filter(({ type }) => type === 'consent.granted')
  t.equal(told.length, 2)
  t.strictSame(await consents.list(userId), [second])
  t.strictSame(await consents.list(randomUUID()), [])
  t.equal(await consents.find(userId, 'other'), undefined)
})

rule('the list begins with the last one', async (t, backend) => {
  const { consents, userId, grant } = await open(backend)
  await grant('app', ['a'])
  backend.moveTime(10)
  await grant('other', ['a'])
  const ids = async () => (await consents.list(userId)).map(({ clientId }) => clientId)
  t.strictSame(await ids(), ['other', 'app'])
  backend.moveTime(10)
  await grant('app', ['a'])
  t.strictSame(await ids(), ['app', 'other'])
})

rule(
  'taken back, it ends the families of this client and this user, offline ones too, and its codes',
  async (t, backend) => {
    const { consents, userId, grant, entries, createUser, signIn, ...rows } = await open(backend)
    await grant('app', ['a'])
    await grant('other', ['a'])
    const { session } = await signIn(userId)
    const { session: stranger } = await signIn((await createUser()).id)
    const mine = await rows.addOfflineFamily(userId, session.id)
    const theirs = await rows.addOfflineFamily(userId, session.id)
    const strangers = await rows.addOfflineFamily(stranger.family.userId, stranger.id)
    const giveTo = (clientId: string, id: string) =>
      backend.db
        .updateTable('refresh_families')
        .set({ client_id: clientId })
        .where('id', '=', id)
        .execute()
    await giveTo('app', mine)
    await giveTo('other', theirs)
    await giveTo('app', strangers)
    const familyless = randomUUID()
    const seedCode = (family: string | null) =>
      backend.db
        .insertInto('authorization_codes')
        .values({
          digest: Buffer.from(randomUUID()),
          client_id: 'app',
          redirect_uri: 'https://app.example/',
          redirect_uri_stated: true,
          user_id: userId,
          session_id: session.id,
          credential_epoch: 1,
          auth_time: backend.now(),
          amr: ['pwd'],
          scope: [],
          created_at: backend.now(),
          expires_at: new Date('2100-01-01'),
          family_id: family,
        })
        .execute()
    await seedCode(familyless)
    await seedCode(null)

    t.equal(await consents.revoke(userId, 'app', act), true)
    t.equal((await rows.familyRow(mine)).revoked_reason, 'consent_revoked')
    t.equal((await rows.familyRow(theirs)).revoked_at, null)
    t.equal((await rows.familyRow(strangers)).revoked_at, null)
    t.equal((await rows.familyRow(session.family.id)).revoked_at, null)
    t.strictSame(await entries(), [`fam:${mine}`, `fam:${familyless}`].sort())
    const codes = await backend.db.selectFrom('authorization_codes').select('expires_at').execute()
    t.ok(codes.every(({ expires_at: at }) => at < new Date('2099-01-01')))
    t.equal(await consents.find(userId, 'app'), undefined)
    t.ok(await consents.find(userId, 'other'))
    const told = (await rows.events(userId)).filter(({ type }) => type === 'consent.revoked')
    t.match(told, [{ severity: 'notice', actor: 'tester', details: { families: 1 } }])
    t.equal(await consents.revoke(userId, 'app', act), false, 'once')
  },
)

rule('nothing changes that cannot be audited', async (t, backend) => {
  const { consents, userId, grant } = await open(backend)
  await t.rejects(withoutAudit(backend, () => grant('app', ['a'])))
  t.equal(await consents.find(userId, 'app'), undefined)
  await grant('app', ['a'])
  await t.rejects(withoutAudit(backend, () => consents.revoke(userId, 'app', act)))
  t.ok(await consents.find(userId, 'app'))
})

run()
