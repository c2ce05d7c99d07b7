import { randomUUID } from 'node:crypto'
import {
  act,
  entryLifetime,
  newSession,
  newUser,
  openAccountStores,
  withoutAudit,
} from '../accounts/account-rows.ts'
import { storeContract } from '../support/store-contract.ts'

const { rule, run } = storeContract('sessions')

rule('a sign-in stores session, family and events at once', async (t, backend) => {
  const { createUser, signIn, ...stores } = await openAccountStores(backend)
  const user = await createUser({ roles: ['user', 'admin'] })
  backend.moveTime(100)
  const { session, opened } = await signIn(user.id)
  t.strictSame(opened, {
    sessionId: session.id,
    user: { ...user, lastLoginAt: opened.now },
    scope: ['account', 'admin'],
    audience: ['https://issuer.example'],
    now: opened.now,
    expiresAt: new Date(opened.now.getTime() + session.ttlSeconds * 1000),
    endedSessions: 0,
  })
  t.ok(opened.now > user.createdAt, "the database's time decides")
  t.strictSame(await stores.sessionRow(session.id), {
    id: session.id,
    user_id: user.id,
    user_agent: 'Test/1',
    address: '192.0.2.1',
    amr: ['pwd'],
    auth_time: opened.now,
    created_at: opened.now,
    expires_at: opened.expiresAt,
    ended_at: null,
    ended_reason: null,
    cookie_digest: null,
    last_seen_at: null,
    acr: 'urn:tessera:pwd',
  })
  t.match(await stores.familyRow(session.family.id), {
    session_id: session.id,
    user_id: user.id,
    user_version: 1,
    client_id: 'first-party',
    scope: ['account', 'admin'],
    audience: ['https://issuer.example'],
    auth_time: opened.now,
    expires_at: opened.expiresAt,
    generation: 1,
    revoked_at: null,
  })
  const told = (await stores.events(user.id)).filter((each) => each.session_id === session.id)
  const common = { outcome: 'success', actor: 'tester', session_id: session.id, severity: 'info' }
  t.strictSame(told, [
    { ...common, type: 'family.created', family_id: session.family.id, details: {} },
    { ...common, type: 'session.created', family_id: null, details: {} },
    { ...common, type: 'sign_in.succeeded', family_id: null, details: { amr: ['pwd'] } },
  ])
})

rule(
  'a sign-in proved against another password, or of a disabled user, opens nothing',
  async (t, backend) => {
    const { createUser, sessions, users, userRow, events } = await openAccountStores(backend)
    const { id } = await createUser()
    const refuse = async (userId: string, credentialEpoch: number) =>
      t.equal(
        await sessions.signIn({ userId, credentialEpoch }, newSession(userId), act),
        undefined,
      )
    await refuse(id, 2)
    await refuse(randomUUID(), 1)
    await users.disable(id, act)
    await refuse(id, 1)
    t.strictSame(await backend.db.selectFrom('sessions').selectAll().execute(), [])
    t.strictSame(await backend.db.selectFrom('refresh_families').selectAll().execute(), [])
    t.equal((await userRow(id)).last_login_at, null)
    t.notOk((await events(id)).some(({ type }) => type === 'sign_in.succeeded'))
  },
)

rule('a sign-in replaces the hash that it verified, and no other', async (t, backend) => {
  const { createUser, sessions, userRow, events } = await openAccountStores(backend)
  const { id } = await createUser({ passwordHash: 'hash-1' })
  const signIn = (from: string, to: string) =>
    sessions.signIn({ userId: id, credentialEpoch: 1, rehash: { from, to } }, newSession(id), act)
  t.ok(await signIn('hash-1', 'hash-2'))
  t.match(await userRow(id), { password_hash: 'hash-2', version: 1, credential_epoch: 1 })
  t.ok((await events(id)).some(({ type }) => type === 'user.password_rehashed'))
  t.ok(
    await signIn('hash-1', 'hash-3'),
    'another node was faster: the sign-in is good all the same',
  )
  t.equal((await userRow(id)).password_hash, 'hash-2')
})

rule('a registration is user, session and family or nothing', async (t, backend) => {
  const { sessions, users, familyRow, sessionRow, events } = await openAccountStores(backend)
  const user = newUser({ email: 'jo@example.com', username: 'jo' })
  const session = newSession(user.id)
  const opened = await sessions.register(user, session, act)
  if (typeof opened === 'string') throw new Error(opened)
  t.strictSame(opened, {
    sessionId: session.id,
    user: {
      id: user.id,
      email: 'jo@example.com',
      username: 'jo',
      name: null,
      givenName: null,
      familyName: null,
      roles: ['user'],
      permissions: [],
      status: 'active',
      mustChangePassword: false,
      createdAt: opened.now,
      updatedAt: opened.now,
      lastLoginAt: opened.now,
      deletedAt: null,
    },
    scope: ['account'],
    audience: ['https://issuer.example'],
    now: opened.now,
    expiresAt: new Date(opened.now.getTime() + session.ttlSeconds * 1000),
    endedSessions: 0,
  })
  t.strictSame(await users.find({ id: user.id }), opened.user)
  t.equal((await sessionRow(session.id)).user_id, user.id)
  t.equal((await familyRow(session.family.id)).user_version, 1)
  t.strictSame(
    (await events(user.id)).map(({ type }) => type),
    ['family.created', 'session.created', 'sign_in.succeeded', 'user.created'],
  )
  for (const [taken, outcome] of [
    [newUser({ email: 'JO@example.com' }), 'email_taken'],
    [newUser({ username: 'JO' }), 'username_taken'],
  ] as const) {
    t.equal(await sessions.register(taken, newSession(taken.id), act), outcome)
    t.equal(await users.find({ id: taken.id }), undefined)
  }
})

rule('past the limit the oldest end, the new one never', async (t, backend) => {
  const stores = await openAccountStores(backend)
  const { id } = await stores.createUser()
  const ids: string[] = []
  for (let opened = 0; opened < 3; opened += 1) {
    backend.moveTime(1)
    ids.push((await stores.signIn(id, { limit: 3 })).session.id)
  }
  // A sign-in whose transaction began before those of the others came through.
  backend.moveTime(-60)
  const { session, opened } = await stores.signIn(id, { limit: 2 })
  backend.moveTime(60)
  t.equal(opened.endedSessions, 2)
  const live = await stores.sessions.list(id, undefined)
  t.strictSame(
    live.map((item) => item.id),
    [ids[2], session.id],
  )
  const [oldest = '', older = ''] = ids
  t.strictSame(await stores.entries(), [`sid:${oldest}`, `sid:${older}`].sort())
  for (const ended of [oldest, older]) {
    t.equal((await stores.sessionRow(ended)).ended_reason, 'too_many_sessions')
  }
  const told = (await stores.events(id)).filter(({ type }) => type === 'session.ended')
  t.strictSame(
    told.map(({ session_id, details }) => ({ session_id, details })).sort(bySession),
    [oldest, older]
      .map((session_id) => ({ session_id, details: { reason: 'too_many_sessions' } }))
      .sort(bySession),
  )
})

const bySession = (a: { session_id: string | null }, b: { session_id: string | null }) =>
  `${a.session_id}`.localeCompare(`${b.session_id}`)

rule('the list holds live ones, newest first', async (t, backend) => {
  const stores = await openAccountStores(backend)
  const { sessions, signIn } = stores
  const { id } = await stores.createUser()
  const other = await stores.createUser()
  await signIn(other.id)
  const { session: first, opened: firstOpened } = await signIn(id)
  backend.moveTime(60)
  const { session: second, opened } = await signIn(id)
  const { session: ended } = await signIn(id)
  await sessions.end(id, ended.id, act)
  const usedAt = new Date(opened.now.getTime() + 5000)
  await backend.db
    .updateTable('refresh_families')
    .set({ last_used_at: usedAt })
    .where('id', '=', first.family.id)
    .execute()
  const device = { userAgent: 'Test/1', address: '192.0.2.1', amr: ['pwd'] }
  t.strictSame(await sessions.list(id, undefined), [
    {
      id: second.id,
      ...device,
      createdAt: opened.now,
      lastSeenAt: opened.now,
      expiresAt: opened.expiresAt,
    },
    {
      id: first.id,
      ...device,
      createdAt: firstOpened.now,
      lastSeenAt: usedAt,
      expiresAt: firstOpened.expiresAt,
    },
  ])
  t.strictSame(await sessions.list(randomUUID(), undefined), [])
})

rule(
  'one that nothing can refresh is listed only for itself, an expired one never',
  async (t, backend) => {
    const { sessions, createUser, signIn } = await openAccountStores(backend)
    const { id } = await createUser()
    const { session } = await signIn(id)
    const listed = async (currentId?: string) =>
      (await sessions.list(id, currentId)).map((item) => item.id)
    t.strictSame(await listed(), [session.id])
    backend.moveTime(session.family.idleSeconds)
    t.strictSame(await listed(), [])
    t.strictSame(await listed(session.id), [session.id])
    backend.moveTime(session.ttlSeconds)
    t.strictSame(await listed(session.id), [])
  },
)

rule('an end takes the families along, but for those that outlive it', async (t, backend) => {
  const stores = await openAccountStores(backend)
  const { sessions, signIn, entries, familyRow, sessionRow, events } = stores
  const { id } = await stores.createUser()
  const { session } = await signIn(id)
  const { session: other } = await signIn(id)
  const offline = await stores.addOfflineFamily(id, session.id)
  t.equal(await sessions.end(randomUUID(), session.id, act), false, "another user's")
  t.equal(await sessions.end(id, session.id, act), true)
  t.equal((await sessionRow(session.id)).ended_reason, 'signed_out')
  t.equal((await familyRow(session.family.id)).revoked_reason, 'signed_out')
  t.equal((await familyRow(offline)).revoked_at, null)
  t.equal((await familyRow(other.family.id)).revoked_at, null)
  t.strictSame(await entries(), [`sid:${session.id}`])
  t.equal(await sessions.end(id, session.id, act), false, 'once more is no act')
  t.strictSame(
    (await events(id)).filter(({ type }) => type === 'session.ended'),
    [
      {
        type: 'session.ended',
        severity: 'info',
        outcome: 'success',
        actor: 'tester',
        session_id: session.id,
        family_id: null,
        details: { reason: 'signed_out' },
      },
    ],
  )
})

rule('an entry stands as long as it is told to', async (t, backend) => {
  const { sessions, createUser, signIn } = await openAccountStores(backend)
  const { id } = await createUser()
  const { session } = await signIn(id)
  await sessions.end(id, session.id, act)
  const { created_at, expires_at } = await backend.db
    .selectFrom('revocations')
    .select(['created_at', 'expires_at'])
    .where('value', '=', session.id)
    .executeTakeFirstOrThrow()
  t.equal(expires_at.getTime() - created_at.getTime(), entryLifetime * 1000)
})

rule('all end at once, with what outlives them', async (t, backend) => {
  const stores = await openAccountStores(backend)
  const { sessions, signIn, entries, familyRow, sessionRow, userRow, events } = stores
  const { id } = await stores.createUser()
  const bystander = await stores.createUser()
  const { session: spared } = await signIn(bystander.id)
  const { session: one } = await signIn(id)
  const { session: two } = await signIn(id)
  const offline = await stores.addOfflineFamily(id, one.id)
  await sessions.endAll(id, act)
  for (const session of [one, two]) {
    t.equal((await sessionRow(session.id)).ended_reason, 'signed_out_everywhere')
    t.equal((await familyRow(session.family.id)).revoked_reason, 'signed_out_everywhere')
  }
  t.equal((await familyRow(offline)).revoked_reason, 'signed_out_everywhere')
  t.equal((await familyRow(spared.family.id)).revoked_at, null)
  t.strictSame(await entries(), [`fam:${offline}`, `sid:${one.id}`, `sid:${two.id}`].sort())
  t.match(await userRow(id), { version: 2, credential_epoch: 1 })
  t.strictSame(
    (await events(id)).filter(({ type }) => type === 'session.all_ended').map((row) => row.details),
    [{ sessions: 2, families: 3 }],
  )
})

rule('sessions: what cannot be audited does not happen', async (t, backend) => {
  const stores = await openAccountStores(backend)
  const { sessions } = stores
  const { id } = await stores.createUser()
  const { session, opened } = await stores.signIn(id)
  const stranger = newUser()
  await withoutAudit(backend, async () => {
    const acts: (() => Promise<unknown>)[] = [
      () => sessions.register(stranger, newSession(stranger.id), act),
      () => sessions.signIn({ userId: id, credentialEpoch: 1 }, newSession(id), act),
      () => sessions.end(id, session.id, act),
      () => sessions.endAll(id, act),
    ]
    for (const refused of acts) await t.rejects(refused(), /audit_events/)
  })
  t.equal(await stores.users.find({ id: stranger.id }), undefined)
  t.match(await stores.userRow(id), { version: 1, last_login_at: opened.now })
  const live = await sessions.list(id, undefined)
  t.strictSame(
    live.map((item) => item.id),
    [session.id],
  )
  t.equal((await stores.familyRow(session.family.id)).revoked_at, null)
  t.strictSame(await stores.entries(), [])
})

run()
