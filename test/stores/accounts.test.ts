import { randomUUID } from 'node:crypto'
import { act, grantOf, newUser, openAccountStores, withoutAudit } from '../accounts/account-rows.ts'
import { storeContract } from '../support/store-contract.ts'

const { rule, run } = storeContract('users')

rule('what is created is found by id, email and username', async (t, backend) => {
  const { users, events } = await openAccountStores(backend)
  const user = newUser({
    email: 'Jo.Doe@Example.com',
    username: 'Jo_Doe',
    name: 'Jo Doe',
    givenName: 'Jo',
    familyName: 'Doe',
    roles: ['user', 'admin', 'user'],
  })
  const created = await users.create(user, act)
  if (typeof created === 'string') throw new Error(created)
  t.strictSame(created, {
    id: user.id,
    email: 'Jo.Doe@Example.com',
    username: 'Jo_Doe',
    name: 'Jo Doe',
    givenName: 'Jo',
    familyName: 'Doe',
    roles: ['admin', 'user'],
    permissions: ['admin'],
    status: 'active',
    mustChangePassword: false,
    createdAt: created.createdAt,
    updatedAt: created.createdAt,
    lastLoginAt: null,
    deletedAt: null,
  })
  for (const reference of [
    { id: user.id },
    { email: 'Jo.Doe@Example.com' },
    { email: ' jo.doe@EXAMPLE.com ' },
    { username: 'jo_doe' },
    { username: 'JO_DOE' },
  ]) {
    t.strictSame(await users.find(reference), created)
  }
  t.equal(await users.find({ id: randomUUID() }), undefined)
  t.equal(await users.find({ email: 'other@example.com' }), undefined)
  t.equal(await users.find({ username: 'other' }), undefined)
  t.strictSame(await events(user.id), [
    {
      type: 'user.created',
      severity: 'notice',
      outcome: 'success',
      actor: 'tester',
      session_id: null,
      family_id: null,
      details: { roles: ['admin', 'user'], password: true },
    },
    {
      type: 'user.role_granted',
      severity: 'warning',
      outcome: 'success',
      actor: 'tester',
      session_id: null,
      family_id: null,
      details: { role: 'admin' },
    },
  ])
})

rule('credentials are the hash, its epoch and the status', async (t, backend) => {
  const { users, createUser } = await openAccountStores(backend)
  const { id, email } = await createUser({ passwordHash: 'hash-1' })
  const credentials = {
    userId: id,
    passwordHash: 'hash-1',
    credentialEpoch: 1,
    status: 'active' as const,
  }
  t.strictSame(await users.findCredentials({ email }), credentials)
  t.strictSame(await users.findCredentials({ id }), credentials)
  t.equal(await users.findCredentials({ username: 'nobody' }), undefined)
  const { id: withoutPassword } = await createUser({ passwordHash: null })
  t.strictSame(await users.findCredentials({ id: withoutPassword }), {
    ...credentials,
    userId: withoutPassword,
    passwordHash: null,
  })
})

rule('a name that differs in case only is taken', async (t, backend) => {
  const { users, createUser, events } = await openAccountStores(backend)
  await createUser({ email: 'straße@example.com', username: 'Jo' })
  const sameEmail = newUser({ email: 'STRAßE@EXAMPLE.COM' })
  t.equal(await users.create(sameEmail, act), 'email_taken')
  t.equal(await users.create(newUser({ username: 'jO' }), act), 'username_taken')
  t.strictSame(await events(sameEmail.id), [], 'nothing is told of what did not happen')
  const other = await createUser({ username: null })
  await createUser({ username: null })
  t.equal(
    await users.update(other.id, { email: 'Straße@example.com' }, undefined, act),
    'email_taken',
  )
  t.equal(await users.update(other.id, { username: 'JO' }, undefined, act), 'username_taken')
  t.strictSame(await users.find({ id: other.id }), other)
})

rule('an update changes what is stated and nothing else', async (t, backend) => {
  const { users, createUser, userRow } = await openAccountStores(backend)
  const before = await createUser({ username: 'jo', name: 'Jo', givenName: 'Jo' })
  backend.moveTime(10)
  const after = await users.update(
    before.id,
    { email: 'New@example.com', name: null, familyName: 'Doe' },
    1,
    act,
  )
  if (after === undefined || typeof after === 'string') throw new Error('not updated')
  t.strictSame(after, {
    ...before,
    email: 'New@example.com',
    name: null,
    familyName: 'Doe',
    updatedAt: after.updatedAt,
  })
  t.ok(after.updatedAt > before.updatedAt)
  const { email_key, username_key, version, credential_epoch } = await userRow(before.id)
  t.strictSame(
    { email_key, username_key, version, credential_epoch },
    { email_key: 'new@example.com', username_key: 'jo', version: 1, credential_epoch: 1 },
  )
  const cleared = await users.update(before.id, { username: null }, undefined, act)
  if (cleared === undefined || typeof cleared === 'string') throw new Error('not updated')
  t.strictSame(cleared, { ...after, username: null, updatedAt: cleared.updatedAt })
})

rule(
  'an update is refused once the password has changed or the user is disabled',
  async (t, backend) => {
    const { users, createUser } = await openAccountStores(backend)
    const { id } = await createUser()
    t.equal(await users.update(id, { name: 'Jo' }, 2, act), undefined)
    t.equal(await users.update(randomUUID(), { name: 'Jo' }, undefined, act), undefined)
    const disabled = await users.disable(id, act)
    t.equal(await users.update(id, { name: 'Jo' }, undefined, act), undefined)
    t.strictSame(await users.find({ id }), disabled)
  },
)

rule('pages follow one another without gap or repetition', async (t, backend) => {
  const { users, createUser } = await openAccountStores(backend)
  for (const name of ['Dora', 'anna', 'Carl', 'bert', 'emil']) {
    await createUser({ email: `${name}@example.com` })
  }
  const pages: string[][] = []
  let after: string | undefined
  do {
    const page = (await users.list({ limit: 2, ...(after && { after }) })).map(({ email }) => email)
    pages.push(page)
    after = page.at(-1)
  } while (after !== undefined)
  t.strictSame(pages, [
    ['anna@example.com', 'bert@example.com'],
    ['Carl@example.com', 'Dora@example.com'],
    ['emil@example.com'],
    [],
  ])
})

rule('a disabled one loses sessions, families and tokens', async (t, backend) => {
  const stores = await openAccountStores(backend)
  const { users, entries, familyRow, sessionRow, userRow, events } = stores
  const { id } = await stores.createUser()
  const bystander = await stores.createUser()
  const { session } = await stores.signIn(id)
  const { session: otherSession } = await stores.signIn(bystander.id)
  const offline = await stores.addOfflineFamily(id, session.id)
  const disabled = await users.disable(id, act)
  t.match(disabled, { status: 'disabled' })
  t.equal((await userRow(id)).version, 2)
  t.equal((await sessionRow(session.id)).ended_reason, 'user_disabled')
  t.equal((await familyRow(session.family.id)).revoked_reason, 'user_disabled')
  t.equal((await familyRow(offline)).revoked_reason, 'user_disabled')
  t.strictSame(await entries(), [`fam:${offline}`, `sid:${session.id}`, `sub:${id}`].sort())
  t.equal((await sessionRow(otherSession.id)).ended_at, null)
  t.equal((await familyRow(otherSession.family.id)).revoked_at, null)
  const told = (await events(id)).filter(({ type }) => type === 'user.disabled')
  t.strictSame(told, [
    {
      type: 'user.disabled',
      severity: 'warning',
      outcome: 'success',
      actor: 'tester',
      session_id: null,
      family_id: null,
      details: { sessions: 1, families: 2 },
    },
  ])
  t.strictSame(await users.disable(id, act), disabled, 'once more is no act')
  t.equal((await userRow(id)).version, 2)
  t.equal(await users.disable(randomUUID(), act), undefined)
})

rule('enabling lifts the entry of the user alone', async (t, backend) => {
  const { users, createUser, signIn, entries, userRow } = await openAccountStores(backend)
  const { id } = await createUser()
  const { session } = await signIn(id)
  await users.disable(id, act)
  const lifted = await backend.db
    .selectFrom('revocations')
    .select('changed_at')
    .where('kind', '=', 'sub')
    .executeTakeFirstOrThrow()
  backend.moveTime(5)
  const enabled = await users.enable(id, act)
  t.equal(enabled?.status, 'active')
  t.strictSame(await entries(), [`sid:${session.id}`], 'old sessions stay refused')
  const sub = await backend.db
    .selectFrom('revocations')
    .selectAll()
    .where('kind', '=', 'sub')
    .executeTakeFirstOrThrow()
  t.equal(sub.lifted, true)
  t.ok(sub.changed_at > lifted.changed_at, 'nodes that poll see it')
  t.strictSame(await users.enable(id, act), enabled, 'once more is no act')
  t.equal((await userRow(id)).version, 3)
  t.equal(await users.enable(randomUUID(), act), undefined)
  await users.disable(id, act)
  t.ok((await entries()).includes(`sub:${id}`), 'disabled again, the entry stands again')
})

rule('a password change keeps the present session and ends all else', async (t, backend) => {
  const stores = await openAccountStores(backend)
  const { users, familyRow, sessionRow, entries, userRow } = stores
  const { id } = await stores.createUser()
  const { session: kept } = await stores.signIn(id)
  const { session: other } = await stores.signIn(id)
  const offline = await stores.addOfflineFamily(id, kept.id)
  const change = {
    userId: id,
    passwordHash: 'hash-2',
    credentialEpoch: 1,
    keptSessionId: kept.id,
    grantOf,
  }
  t.equal(await users.changePassword(change, act), true)
  const { password_hash, version, credential_epoch } = await userRow(id)
  t.strictSame(
    { password_hash, version, credential_epoch },
    { password_hash: 'hash-2', version: 2, credential_epoch: 2 },
  )
  t.equal((await sessionRow(kept.id)).ended_at, null)
  t.equal((await sessionRow(other.id)).ended_reason, 'password_changed')
  t.match(await familyRow(kept.family.id), { revoked_at: null, user_version: 2 })
  t.equal((await familyRow(other.family.id)).revoked_reason, 'password_changed')
  t.equal((await familyRow(offline)).revoked_reason, 'password_changed')
  t.strictSame(await entries(), [`fam:${offline}`, `sid:${other.id}`].sort())
  t.equal(await users.changePassword(change, act), false, 'the epoch has moved on')
  t.equal((await userRow(id)).password_hash, 'hash-2')
})

rule('a password that is set ends all sessions', async (t, backend) => {
  const stores = await openAccountStores(backend)
  const { users, sessionRow, familyRow, entries, userRow, events } = stores
  const { id } = await stores.createUser({ passwordHash: null })
  const { session } = await stores.signIn(id)
  t.equal((await users.setPassword(id, 'hash-2', act))?.id, id)
  const { password_hash, version, credential_epoch } = await userRow(id)
  t.strictSame(
    { password_hash, version, credential_epoch },
    { password_hash: 'hash-2', version: 2, credential_epoch: 2 },
  )
  t.equal((await sessionRow(session.id)).ended_reason, 'password_set')
  t.equal((await familyRow(session.family.id)).revoked_reason, 'password_set')
  t.strictSame(await entries(), [`sid:${session.id}`])
  t.ok((await events(id)).some(({ type }) => type === 'user.password_set'))
  t.equal(await users.setPassword(randomUUID(), 'hash-2', act), undefined)
})

rule('roles are added and taken once, and families follow', async (t, backend) => {
  const { users, createUser, signIn, familyRow, entries, events } = await openAccountStores(backend)
  t.strictSame(await users.roleNames(), ['admin', 'user'])
  const { id } = await createUser()
  const { session } = await signIn(id)
  const granted = await users.grantRole(id, 'admin', act)
  t.match(granted, { roles: ['admin', 'user'], permissions: ['admin'] })
  t.match(await familyRow(session.family.id), { user_version: 2, revoked_at: null })
  t.strictSame(await users.grantRole(id, 'admin', act), granted, 'once more is no act')
  const revoked = await users.revokeRole(id, 'admin', act)
  t.match(revoked, { roles: ['user'], permissions: [] })
  t.match(await familyRow(session.family.id), { user_version: 3, revoked_at: null })
  t.strictSame(await users.revokeRole(id, 'admin', act), revoked, 'once more is no act')
  t.strictSame(await entries(), [], 'sessions go on')
  const changes = (await events(id)).filter(({ type }) => type.startsWith('user.role_'))
  t.strictSame(
    changes.map(({ type, details }) => [type, details]),
    [
      ['user.role_granted', { role: 'admin' }],
      ['user.role_revoked', { role: 'admin' }],
    ],
  )
  t.equal(await users.grantRole(randomUUID(), 'admin', act), undefined)
})

rule('users: what cannot be audited does not happen', async (t, backend) => {
  const stores = await openAccountStores(backend)
  const { users } = stores
  const user = await stores.createUser()
  const { id } = user
  const { session, opened } = await stores.signIn(id)
  const before = await stores.userRow(id)
  const stranger = newUser()
  const change = {
    userId: id,
    passwordHash: 'hash-2',
    credentialEpoch: 1,
    keptSessionId: undefined,
    grantOf,
  }
  await withoutAudit(backend, async () => {
    const acts: (() => Promise<unknown>)[] = [
      () => users.create(stranger, act),
      () => users.update(id, { name: 'Jo' }, 1, act),
      () => users.changePassword(change, act),
      () => users.setPassword(id, 'hash-2', act),
      () => users.disable(id, act),
      () => users.grantRole(id, 'admin', act),
      () => users.revokeRole(id, 'user', act),
    ]
    for (const refused of acts) await t.rejects(refused(), /audit_events/)
  })
  t.equal(await users.find({ id: stranger.id }), undefined)
  t.strictSame(await stores.userRow(id), before)
  t.strictSame(await users.find({ id }), opened.user)
  t.equal((await stores.sessionRow(session.id)).ended_at, null)
  t.match(await stores.familyRow(session.family.id), { revoked_at: null, user_version: 1 })
  t.strictSame(await stores.entries(), [])
})

run()
