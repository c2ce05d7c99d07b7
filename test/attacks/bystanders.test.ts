import { decodeJwt } from 'jose'
import t from 'tap'
import { alive, startApi } from '../endpoints/auth/api.ts'
import { basic, createMachine, postForm } from '../endpoints/oauth/requests.ts'

// Nobody but its owner ends a session: each act below is done by somebody else, or with what its
// owner has left behind, while a victim is signed in.
const api = await startApi(t, { SESSIONS_PER_USER: '2' })
const { app, db, deps } = api
const victim = await api.join()
const mallory = await api.join({ email: 'mallory@example.com' })
const machine = await createMachine(deps, { grantTypes: ['refresh_token', 'client_credentials'] })

const {
  sid: session,
  fam: family,
  jti: tokenId,
} = decodeJwt<{ sid: string; fam: string }>(victim.token)

// Of an earlier session of the victim, which has ended: on an old disk, in somebody's hands.
const earlier = await api.signIn(victim)
const successor = await api.post('/auth/refresh', { refresh_token: earlier.refreshToken })
await api.post('/auth/logout', { refresh_token: successor.json.refresh_token })
const leftBehind = [earlier.refreshToken, successor.json.refresh_token, earlier.token]

const token = victim.refreshToken
const revoke = (form: Record<string, string>, headers = {}) =>
  postForm(app, '/revoke', form, headers)
const asFirstParty = { client_id: 'first-party' }

const acts: Record<string, () => Promise<unknown>> = {
  'ending the session by its id': () => api.delete(`/auth/sessions/${session}`, mallory.token),
  'ending the session by its id in capitals': () =>
    api.delete(`/auth/sessions/${session.toUpperCase()}`, mallory.token),
  'ending a session that is named like the family': () =>
    api.delete(`/auth/sessions/${family}`, mallory.token),
  'ending a session that is named like the user': () =>
    api.delete(`/auth/sessions/${victim.id}`, mallory.token),
  'signing out everywhere': () => api.post('/auth/logout-all', undefined, mallory.token),
  'revoking as another client': () => revoke({ token }, machine.headers),
  'revoking as another client with a hint': () =>
    revoke({ token, token_type_hint: 'refresh_token' }, machine.headers),
  'revoking the access token as another client': () =>
    revoke({ token: victim.token }, machine.headers),
  'revoking as a client with another’s secret': () =>
    revoke({ token }, basic('first-party', machine.secret)),
  'revoking without a client': () => revoke({ token }),
  'revoking by name of session, family and user': async () => {
    for (const id of [session, family, victim.id]) await revoke({ token: id, ...asFirstParty })
  },
  'refreshing as another client': () =>
    postForm(app, '/token', { grant_type: 'refresh_token', refresh_token: token }, machine.headers),
  'refreshing with more scope than was granted': () =>
    postForm(app, '/token', {
      ...{ grant_type: 'refresh_token', refresh_token: token, ...asFirstParty },
      scope: 'account admin',
    }),
  'refreshing for an audience that was not granted': () =>
    postForm(app, '/token', {
      ...{ grant_type: 'refresh_token', refresh_token: token, ...asFirstParty },
      resource: 'https://elsewhere.example',
    }),
  'other spellings of the token': async () => {
    for (const spelling of [token.toUpperCase(), token.toLowerCase(), `${token}=`, ` ${token}`]) {
      await api.post('/auth/refresh', { refresh_token: spelling })
      await api.post('/auth/logout', { refresh_token: spelling })
      await revoke({ token: spelling, ...asFirstParty })
    }
  },
  'signing out with the token of an ended session': async () => {
    for (const old of leftBehind) await api.post('/auth/logout', { refresh_token: old })
    await api.post('/auth/logout', undefined, earlier.token)
  },
  'refreshing with the tokens of an ended session, again and again': async () => {
    for (const old of [...leftBehind, ...leftBehind]) {
      await api.post('/auth/refresh', { refresh_token: old })
    }
  },
  'revoking the tokens of an ended session': async () => {
    for (const old of leftBehind) await revoke({ token: old, ...asFirstParty })
  },
  'guessing the password': async () => {
    for (let guess = 0; guess < 5; guess += 1) {
      await api.post('/auth/login', { email: victim.email, password: `guess ${guess}` })
    }
  },
  'signing in until the oldest sessions go': async () => {
    for (let count = 0; count < 3; count += 1) await api.signIn(mallory)
  },
  'taking the name': async () => {
    const { email } = victim
    const { password } = mallory
    await api.post('/auth/register', { email, password })
    await api.patch('/auth/me', { email, current_password: password }, mallory.token)
  },
}

/** All that stands about the victim, the earlier session included. */
const standing = async () => ({
  sessions: await db
    .selectFrom('sessions')
    .select(['id', 'ended_at'])
    .where('user_id', '=', victim.id)
    .orderBy('id')
    .execute(),
  families: await db
    .selectFrom('refresh_families')
    .select(['id', 'generation', 'revoked_at'])
    .where('user_id', '=', victim.id)
    .orderBy('id')
    .execute(),
  revocations: await db
    .selectFrom('revocations')
    .select('value')
    .where('value', 'in', [session, family, victim.id, `${tokenId}`])
    .execute(),
})

for (const [what, act] of Object.entries(acts)) {
  t.test(`nobody else ends a session, or writes anything about it: ${what}`, async (t) => {
    Object.assign(mallory, await api.signIn(mallory))
    const before = await standing()
    await act()
    t.strictSame(await standing(), before)
    t.equal((await api.get('/auth/me', victim.token)).status, 200)
  })
}

t.test('after all that the victim goes on', async (t) => {
  t.strictSame(await api.isAlive(victim), alive)
})
