import { decodeJwt } from 'jose'
import { test } from 'tap'
import { byCli, isProblem, malformedBodies, refusedTokens, startApi } from './api.ts'

const inactiveCodes: Record<string, string> = {
  invalid_token: 'invalid_token',
  expired_token: 'expired_token',
  revoked_token: 'revoked_token',
  wrong_token_type: 'wrong_token_type',
}

test('POST /auth/verify', async (t) => {
  const api = await startApi(t)
  const verify = (token: string) => api.post('/auth/verify', { token })

  await t.test('says of a good token whose it is', async (t) => {
    const person = await api.join()
    await api.deps.userAdministration.grantRole(person.id, 'admin', byCli)
    const { token, id } = await api.signIn(person)
    const { status, headers, json } = await verify(token)
    const { iat, exp, sid } = decodeJwt(token)
    t.equal(status, 200)
    t.equal(headers['cache-control'], 'no-store')
    t.strictSame(json, {
      active: true,
      sub: id,
      client_id: 'first-party',
      scope: 'account admin',
      aud: ['http://localhost:4000'],
      iat,
      exp,
      sid,
      roles: ['admin', 'user'],
      permissions: ['admin'],
    })
  })

  await t.test("says of a machine's token that it has no person behind it", async (t) => {
    const { accessToken } = await api.deps.issuer.issueAccessToken({
      clientId: 'svc',
      subject: 'svc',
      scope: ['read'],
      audience: [api.config.issuer, 'https://api.example'],
      issuedAt: new Date(),
    })
    const { iat, exp } = decodeJwt(accessToken)
    t.strictSame((await verify(accessToken)).json, {
      active: true,
      sub: 'svc',
      client_id: 'svc',
      scope: 'read',
      aud: ['http://localhost:4000', 'https://api.example'],
      iat,
      exp,
      roles: [],
      permissions: [],
    })
  })

  await t.test('says why a token is not good', async (t) => {
    for (const [reason, token, code] of await refusedTokens(api)) {
      if (token === undefined || inactiveCodes[code] === undefined) continue
      const { status, json } = await verify(token)
      t.equal(status, 200)
      t.strictSame(json, { active: false, code }, reason)
    }
  })

  await t.test('knows nothing of tokens for others', async (t) => {
    const { accessToken } = await api.deps.issuer.issueAccessToken({
      clientId: 'svc',
      subject: 'svc',
      scope: ['read'],
      audience: ['https://api.example'],
      issuedAt: new Date(),
    })
    t.strictSame((await verify(accessToken)).json, { active: false, code: 'invalid_token' })
  })

  for (const [reason, body, code, options] of malformedBodies({ token: 'x' })) {
    await t.test(`refuses ${reason}`, async (t) => {
      isProblem(t, await api.post('/auth/verify', body as object), code, options)
    })
  }
})
