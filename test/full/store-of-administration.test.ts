import { randomUUID } from 'node:crypto'
import { createRoleStore } from '../../src/stores/postgres/roles.ts'
import { act, grantOf, openAccountStores, withoutAudit } from '../accounts/account-rows.ts'
import { storeContract } from '../support/store-contract.ts'

const { rule, run } = storeContract('administration')

const day = 86_400

rule('a search is in the order of addresses, and goes on where it ended', async (t, backend) => {
  const { users, createUser } = await openAccountStores(backend)
  const emails = ['b@example.com', 'A@example.com', 'c@example.com', 'ä@example.com']
  for (const email of emails) await createUser({ email })
  const found: string[] = []
  let after: string | undefined
  do {
    const page = await users.search({ limit: 1, ...(after === undefined ? {} : { after }) })
    found.push(...page.users.map(({ email }) => email))
    after = page.next
  } while (after !== undefined)
  t.strictSame(found.toSorted(), emails.toSorted(), 'everybody, once')
  const { users: all, next } = await users.search({ limit: 4 })
  t.strictSame([all.map(({ email }) => email), next], [found, undefined])
})

rule('what stands for any text in a pattern is text in a search', async (t, backend) => {
  const { users, createUser } = await openAccountStores(backend)
  const names = ['50% off', '50x off', 'a_b', 'axb', 'back\\slash']
  for (const name of names) await createUser({ name })
  for (const name of ['50% off', 'a_b', 'back\\slash']) {
    const { users: found } = await users.search({ text: name, limit: 10 })
    t.strictSame(
      found.map((user) => user.name),
      [name],
    )
  }
})

rule('a deleted account loses everything but its names', async (t, backend) => {
  const stores = await openAccountStores(backend)
  const { users, entries, userRow, sessionRow, familyRow, events } = stores
  const { id, email } = await stores.createUser()
  const { session } = await stores.signIn(id)
  const offline = await stores.addOfflineFamily(id, session.id)
  const deleted = await users.delete(id, act)
  t.match(deleted, { status: 'deleted', deletedAt: Date })
  t.strictSame(await users.delete(id, act), deleted, 'once more is no act')
  t.equal((await userRow(id)).version, 2)
  t.equal((await sessionRow(session.id)).ended_reason, 'user_deleted')
  t.equal((await familyRow(session.family.id)).revoked_reason, 'user_deleted')
  t.strictSame(await entries(), [`fam:${offline}`, `sid:${session.id}`, `sub:${id}`].sort())
  t.equal(
    await users.create({ id: randomUUID(), email, passwordHash: null, roles: [] }, act),
    'email_taken',
  )
  t.match(await users.enable(id, act), { status: 'deleted' })
  t.match(await users.disable(id, act), { status: 'deleted' })
  t.strictSame(
    (await events(id)).filter(({ type }) => type === 'user.deleted').map(({ details }) => details),
    [{ sessions: 1, families: 2 }],
  )
  const restored = await users.restore(id, act)
  t.match(restored, { status: 'disabled', deletedAt: null })
  t.strictSame(await users.restore(id, act), restored, 'once more is no act')
})

rule(
  'purged is what was deleted long enough ago, with all that hangs on it',
  async (t, backend) => {
    const stores = await openAccountStores(backend)
    const { users, events } = stores
    const old = await stores.createUser()
    await stores.signIn(old.id)
    const disabled = await stores.createUser()
    await users.disable(disabled.id, act)
    await users.delete(old.id, act)
    backend.moveTime(2 * day)
    const recent = await stores.createUser()
    await users.delete(recent.id, act)
    t.equal(await users.purge(3), 0)
    backend.moveTime(day + 1)
    t.equal(await users.purge(3), 1)
    t.equal(await users.purge(3), 0)
    t.equal(await users.find({ id: old.id }), undefined)
    t.equal(await users.restore(old.id, act), undefined)
    t.match(await users.find({ id: recent.id }), { status: 'deleted' })
    t.match(await users.find({ id: disabled.id }), { status: 'disabled' })
    const [purged] = (await events(old.id)).filter(({ type }) => type === 'user.purged')
    t.match(purged, { actor: 'housekeeping', details: {} })
    const left = await backend.db
      .selectFrom('sessions')
      .select('id')
      .where('user_id', '=', old.id)
      .execute()
    t.strictSame(left, [])
  },
)

rule('a password that must be changed: ended by any change of it', async (t, backend) => {
  const stores = await openAccountStores(backend)
  const { users } = stores
  const { id } = await stores.createUser()
  t.match(await users.forcePasswordChange(id, act), { mustChangePassword: true })
  t.match(await users.setPassword(id, 'hash-2', act), { mustChangePassword: false })
  await users.forcePasswordChange(id, act)
  const change = { userId: id, passwordHash: 'hash-3', credentialEpoch: 2, grantOf }
  await users.changePassword({ ...change, keptSessionId: undefined }, act)
  t.match(await users.find({ id }), { mustChangePassword: false })
})

rule('an initial password expires, and a change ends that', async (t, backend) => {
  const { users, createUser } = await openAccountStores(backend)
  const unused = await createUser({ initialPasswordSeconds: day })
  const changed = await createUser({ initialPasswordSeconds: day })
  await users.setPassword(changed.id, 'hash-2', act)
  t.equal((await users.findCredentials({ id: unused.id }))?.passwordHash, 'hash-1')
  backend.moveTime(day)
  t.equal((await users.findCredentials({ id: unused.id }))?.passwordHash, null)
  await users.forcePasswordChange(unused.id, act)
  t.equal((await users.findCredentials({ id: unused.id }))?.passwordHash, null, 'still')
  t.equal((await users.findCredentials({ id: changed.id }))?.passwordHash, 'hash-2')
})

rule('the last active administrator is kept where that is asked for', async (t, backend) => {
  const { users, createUser } = await openAccountStores(backend)
  const { id } = await createUser({ roles: ['admin', 'user'] })
  const away = await createUser({ roles: ['admin'] })
  await users.disable(away.id, act)
  t.equal(await users.disable(id, act, 'keep_admin'), 'last_admin')
  t.equal(await users.delete(id, act, 'keep_admin'), 'last_admin')
  t.equal(await users.revokeRole(id, 'admin', act, 'keep_admin'), 'last_admin')
  t.match(await users.revokeRole(id, 'user', act, 'keep_admin'), { roles: ['admin'] })
  t.match(await users.delete(away.id, act, 'keep_admin'), { status: 'deleted' }, 'not active')
  t.match(await users.find({ id }), { roles: ['admin'], status: 'active' })
  const other = await createUser({ roles: ['admin'] })
  t.match(await users.disable(id, act, 'keep_admin'), { status: 'disabled' })
  t.match(await users.disable(other.id, act), { status: 'disabled' }, 'the operator may')
})

rule('roles are created, replaced and deleted, once each', async (t, backend) => {
  const { users, createUser } = await openAccountStores(backend)
  const roles = createRoleStore(backend)
  const name = `role-${randomUUID()}`
  const created = { name, permissions: ['keys.read'], builtIn: false }
  t.strictSame(await roles.set(name, ['keys.read'], act), created)
  t.strictSame(await roles.set(name, ['keys.read'], act), created, 'once more is no act')
  await roles.set(name, [], act)
  t.strictSame(await roles.find(name), { ...created, permissions: [] })
  t.ok((await roles.list()).some((role) => role.name === name))
  const { id } = await createUser()
  t.match(await users.grantRole(id, name, act), { roles: [name, 'user'].sort() })
  t.equal(await roles.delete(name, act), 'in_use')
  await users.revokeRole(id, name, act)
  t.equal(await roles.delete(name, act), 'deleted')
  t.equal(await roles.delete(name, act), 'unknown')
  t.equal(await roles.find(name), undefined)
  t.match(await users.grantRole(id, name, act), { roles: ['user'] }, 'what is gone is not given')
  const events = await backend.db
    .selectFrom('audit_events')
    .select(['type', 'actor', 'details'])
    .where('type', 'in', ['role.created', 'role.deleted', 'role.updated'])
    .orderBy('type')
    .execute()
  t.strictSame(events, [
    { type: 'role.created', actor: 'tester', details: { role: name, permissions: ['keys.read'] } },
    { type: 'role.deleted', actor: 'tester', details: { role: name } },
    { type: 'role.updated', actor: 'tester', details: { role: name, permissions: [] } },
  ])
})

rule('what cannot be told of in the audit log does not happen', async (t, backend) => {
  const { users, createUser } = await openAccountStores(backend)
  const roles = createRoleStore(backend)
  const { id } = await createUser()
  const gone = await createUser()
  await users.delete(gone.id, act)
  backend.moveTime(2 * day)
  const admin = { id: randomUUID(), email: 'x@example.com', passwordHash: null, roles: ['admin'] }
  await withoutAudit(backend, async () => {
    const acts: (() => Promise<unknown>)[] = [
      () => users.delete(id, act),
      () => users.forcePasswordChange(id, act),
      () => users.endSessions(id, act),
      () => users.restore(gone.id, act),
      () => users.purge(1),
      () => users.createFirstAdmin(admin, act),
      () => roles.set('unheard-of', [], act),
    ]
    for (const refused of acts) await t.rejects(refused(), /audit_events/)
  })
  t.match(await users.find({ id }), { status: 'active', mustChangePassword: false })
  t.match(await users.find({ id: gone.id }), { status: 'deleted' })
  t.equal(await users.hasAdmin(), false)
  t.equal(await roles.find('unheard-of'), undefined)
})

run()
