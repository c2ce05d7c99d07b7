import { test } from 'tap'
import { createRoleStore } from '../../src/stores/postgres/roles.ts'
import { openPostgres } from '../support/sql-backends.ts'
import { act, newSession, newUser, openAccountStores } from './account-rows.ts'

const rounds = Array.from({ length: 15 }, (_, round) => round)

test('a purge and a restore at once: one wins, and the other finds nothing to do', async (t) => {
  const backend = await openPostgres(t)
  const { users, createUser, events } = await openAccountStores(backend)
  for (const round of rounds) {
    const { id, email } = await createUser()
    await users.delete(id, act)
    backend.moveTime(2 * 86_400)
    const purge = () => users.purge(1)
    const restore = () => users.restore(id, act)
    const [purged, restored] =
      round % 2 === 0
        ? await Promise.all([purge(), restore()])
        : await Promise.all([restore(), purge()]).then(([user, count]) => [count, user] as const)
    const types = (await events(id)).map(({ type }) => type)
    if (purged === 1) {
      t.strictSame(types, ['user.created', 'user.deleted', 'user.purged'])
      t.equal(restored, undefined)
      t.equal(await users.find({ id }), undefined)
      t.equal(typeof (await users.create(newUser({ email }), act)), 'object', 'its names are free')
    } else {
      t.strictSame(types, ['user.created', 'user.deleted', 'user.restored'])
      t.match(restored, { id, status: 'disabled', deletedAt: null })
      t.strictSame(await users.find({ id }), restored)
    }
  }
})

test('what several administrators do to one account at once happens once each', async (t) => {
  const backend = await openPostgres(t)
  const { users, createUser, events, userRow } = await openAccountStores(backend)
  const { id } = await createUser()
  await createUser({ roles: ['admin'] })
  const acts = [
    () => users.disable(id, act, 'keep_admin'),
    () => users.grantRole(id, 'admin', act),
    () => users.delete(id, act, 'keep_admin'),
  ]
  const answers = await Promise.all([...acts, ...acts, ...acts, ...acts].map((one) => one()))
  for (const answer of answers) t.match(answer, { id })
  t.match(await users.find({ id }), { status: 'deleted', roles: ['admin', 'user'] })
  const types = (await events(id)).map(({ type }) => type)
  const once = ['user.created', 'user.deleted', 'user.role_granted']
  t.strictSame(
    types.filter((type) => type !== 'user.disabled'),
    once,
  )
  t.ok(types.length <= once.length + 1, 'disabled before it was deleted, or not at all')
  t.equal((await userRow(id)).version, types.length)
})

test('a role that is deleted while it is given is had by nobody, or stays', async (t) => {
  const backend = await openPostgres(t)
  const { users, createUser } = await openAccountStores(backend)
  const roles = createRoleStore(backend)
  for (const round of rounds) {
    const name = `role-${round}`
    await roles.set(name, ['keys.write'], act)
    const { id } = await createUser()
    const [given, deleted] = await Promise.all([
      users.grantRole(id, name, act),
      roles.delete(name, act),
    ])
    const has = given?.roles.includes(name)
    t.equal(deleted, has ? 'in_use' : 'deleted')
    t.equal((await roles.find(name)) !== undefined, has)
    t.strictSame(await users.find({ id }), given)
  }
})

test('a role that two create at once is created once', async (t) => {
  const backend = await openPostgres(t)
  await openAccountStores(backend)
  const roles = createRoleStore(backend)
  for (const round of rounds) {
    const name = `twin-${round}`
    const set = (permission: string) => roles.set(name, [permission], act)
    await Promise.all([set('keys.read'), set('keys.write'), set('keys.read')])
    const created = await backend.db
      .selectFrom('audit_events')
      .select('details')
      .where('type', '=', 'role.created')
      .execute()
    t.equal(created.filter(({ details }) => details.role === name).length, 1)
  }
})

test('a sign-in while the password is declared to be changed permits nothing else', async (t) => {
  const backend = await openPostgres(t)
  const stores = await openAccountStores(backend)
  const { users, sessions } = stores
  for (const _round of rounds) {
    const { id } = await stores.createUser()
    const grantOf = ({ mustChangePassword }: { mustChangePassword: boolean }) => ({
      scope: mustChangePassword ? ['password'] : ['account'],
      audience: ['https://issuer.example'],
    })
    const session = newSession(id, { grantOf })
    const [opened] = await Promise.all([
      sessions.signIn({ userId: id, credentialEpoch: 1 }, session, act),
      users.forcePasswordChange(id, act),
    ])
    const family = await stores.familyRow(session.family.id)
    t.strictSame(family.scope, opened?.scope)
    t.equal(family.revoked_at === null, family.scope.includes('password'))
  }
})
