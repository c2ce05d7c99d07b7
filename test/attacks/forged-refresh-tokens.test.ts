import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createMachine, oauthError, outcomeOf, postForm } from '../endpoints/oauth/requests.ts'
import { connect, keysOfItsOwn, register, startService } from '../support/service.ts'

const service = await startService(t)
const { app, deps } = service
const db = await connect(t, service)
const person = await register(app)
const good = person.refresh_token
const bytes = Buffer.from(good.slice(4), 'base64url')
const thief = await createMachine(deps, { grantTypes: ['refresh_token'] })
const stranger = await register((await startService(t, keysOfItsOwn)).app)

const encode = (forged: Buffer): string => `trt_${forged.toString('base64url')}`
const changed = (offset: number, change: (byte: number) => number): string => {
  const copy = Buffer.from(bytes)
  copy[offset] = change(copy[offset] ?? 0) & 0xff
  return encode(copy)
}
const firstParty = { client_id: 'first-party' } as const
const refresh = async (token: string) =>
  outcomeOf(
    await postForm(app, '/token', {
      grant_type: 'refresh_token',
      refresh_token: token,
      ...firstParty,
    }),
  )
const unknown = oauthError(400, 'invalid_grant', 'The refresh token is not valid', {
  code: 'unknown',
})

const forgeries: Record<string, string> = {
  'the token of a service with our name': stranger.refresh_token,
  'a later generation': changed(20, (byte) => byte + 1),
  'an earlier generation': changed(20, (byte) => byte - 1),
  'another family': changed(1, (byte) => byte ^ 1),
  'another MAC key': changed(0, (byte) => byte + 1),
  'MAC key 0': changed(0, () => 0),
  'random bytes of the right length': encode(randomBytes(69)),
  'a byte less': encode(bytes.subarray(0, 68)),
  'a byte more': encode(Buffer.concat([bytes, Buffer.of(0)])),
  'the prefix alone': 'trt_',
  'no prefix': good.slice(4),
  'another prefix': `tcs_${good.slice(4)}`,
  'the prefix in capitals': `TRT_${good.slice(4)}`,
  padding: `${good}==`,
  'a space behind': `${good} `,
  'a line break behind': `${good}\n`,
  'a space before': ` ${good}`,
  'letters of plain base64': `${good.slice(0, -2)}+/`,
  'the token twice': good + good,
  'an access token': person.access_token,
}

for (const [what, token] of Object.entries(forgeries)) {
  t.test(`a forged refresh token is nothing to anybody: ${what}`, async (t) => {
    t.strictSame(await refresh(token), unknown)
    t.match(outcomeOf(await postForm(app, '/introspect', { token }, thief.headers)), {
      status: 200,
      body: { active: false },
    })
    if (token === person.access_token) return
    t.match(outcomeOf(await postForm(app, '/revoke', { token, ...firstParty })), {
      status: 200,
      body: '',
    })
  })
}

t.test(
  'a changed byte at every position makes it unknown, and leaves the owner alone',
  async (t) => {
    for (let offset = 0; offset < bytes.length; offset += 1) {
      t.strictSame(await refresh(changed(offset, (byte) => byte ^ 0x80)), unknown, `byte ${offset}`)
    }
  },
)

t.test(
  'to another client a genuine token looks unknown, and its owner notices nothing',
  async (t) => {
    const form = { grant_type: 'refresh_token', refresh_token: good }
    t.strictSame(outcomeOf(await postForm(app, '/token', form, thief.headers)), unknown)
  },
)

t.test('a refresh token does not open the service’s own API', async (t) => {
  const answer = await app.inject({ url: '/auth/me', headers: { authorization: `Bearer ${good}` } })
  t.match([answer.statusCode, answer.json()], [401, { code: 'wrong_token_type' }])
})

t.test('after all that the family lives, untouched', async (t) => {
  const family = await db
    .selectFrom('refresh_families')
    .select(['generation', 'revoked_at'])
    .where('user_id', '=', person.user.id)
    .executeTakeFirstOrThrow()
  t.strictSame(family, { generation: 1, revoked_at: null })
  t.strictSame(await db.selectFrom('revocations').select('value').execute(), [])
  t.match(await refresh(good), { status: 200 })
})
