import { decodeJwt } from 'jose'
import t, { type Test } from 'tap'
import { oauthError, outcomeOf, postForm } from '../endpoints/oauth/requests.ts'
import { refresh, tokenOf } from '../support/nodes.ts'
import { connect, register, startService, type TestService } from '../support/service.ts'

const before = { ISSUER: 'http://localhost:4000', DEFAULT_AUDIENCE: 'https://old.example' }
const after = { ISSUER: 'http://localhost:4001', DEFAULT_AUDIENCE: 'https://new.example' }

/** A service that people have signed in to, and what it becomes under other names. */
const move = async (t: Test, signIn: (service: TestService) => Promise<string>) => {
  const old = await startService(t, before)
  const refreshToken = await signIn(old)
  const moved = await startService(t, { ...after, DATABASE_URL: old.databaseUrl })
  return { moved, refreshToken }
}

const audienceOf = (accessToken: unknown) => decodeJwt(String(accessToken)).aud

const statusOfMe = async ({ app }: TestService, accessToken: unknown): Promise<number> => {
  const headers = { authorization: `Bearer ${accessToken}` }
  return (await app.inject({ url: '/auth/me', headers })).statusCode
}

t.test('a service with another issuer and default audience serves who was signed in', async (t) => {
  const { moved, refreshToken } = await move(
    t,
    async ({ app }) => (await register(app)).refresh_token,
  )

  const first = await refresh(moved, refreshToken)
  const retried = await refresh(moved, refreshToken)
  const second = await refresh(moved, tokenOf(retried))

  for (const { status, body } of [first, retried, second]) {
    t.equal(status, 200)
    t.strictSame(audienceOf(body.access_token), [after.ISSUER, after.DEFAULT_AUDIENCE])
    t.equal(await statusOfMe(moved, body.access_token), 200)
  }
})

t.test('a resource is what the service is called now, not what it was', async (t) => {
  const { moved, refreshToken } = await move(
    t,
    async ({ app }) => (await register(app)).refresh_token,
  )
  const ask = (resource: string) =>
    postForm(moved.app, '/token', {
      ...{ grant_type: 'refresh_token', client_id: 'first-party', refresh_token: refreshToken },
      resource,
    })

  const past = await ask(before.DEFAULT_AUDIENCE)
  const present = await ask(after.DEFAULT_AUDIENCE)

  const message = 'The client may not ask for this resource'
  t.strictSame(outcomeOf(past), oauthError(400, 'invalid_target', message))
  t.equal(present.statusCode, 200)
  t.equal(audienceOf(present.json().access_token), after.DEFAULT_AUDIENCE)
})

t.test('who must change the password gets tokens for the issuer alone, moved or not', async (t) => {
  const { moved, refreshToken } = await move(t, async (old) => {
    const { email, password, user } = await register(old.app)
    const db = await connect(t, old)
    await db
      .updateTable('users')
      .set(({ ref }) => ({ must_change_epoch: ref('credential_epoch') }))
      .where('id', '=', user.id)
      .execute()
    const payload = { email, password }
    const signedIn = await old.app.inject({ method: 'POST', url: '/auth/login', payload })
    return signedIn.json().refresh_token
  })
  const ask = (resource: string) =>
    postForm(moved.app, '/token', {
      ...{ grant_type: 'refresh_token', client_id: 'first-party', refresh_token: refreshToken },
      resource,
    })

  t.strictSame(
    outcomeOf(await ask(after.DEFAULT_AUDIENCE)),
    oauthError(400, 'invalid_target', 'The resource is beyond what was granted'),
  )
  const { status, body } = await refresh(moved, refreshToken)
  t.equal(status, 200)
  t.equal(audienceOf(body.access_token), after.ISSUER)
})
