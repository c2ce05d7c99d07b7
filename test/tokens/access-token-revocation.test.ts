import { test } from 'tap'
import type { RecordedEvent } from '../../src/audit/event.ts'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import { createAccessTokenRevocation } from '../../src/tokens/access-token-revocation.ts'
import type { AccessTokenClaims } from '../../src/tokens/verifier.ts'

const act = { actor: 'svc_a', origin: { requestId: 'r1' } }
const claims = (special: Partial<AccessTokenClaims> = {}): AccessTokenClaims => ({
  issuer: 'https://issuer.example',
  subject: 'svc_a',
  clientId: 'svc_a',
  audience: ['https://a.example'],
  scope: [],
  tokenId: 'jti-1',
  issuedAt: new Date(0),
  expiresAt: new Date(900_000),
  roles: [],
  permissions: [],
  raw: {},
  ...special,
})

const makeRevocation = () => {
  const world = { uptimeMs: 0, announcing: async () => {} }
  const written: [tokenId: string, event: RecordedEvent][] = []
  const order: string[] = []
  const revocation = createAccessTokenRevocation({
    store: {
      revoke: async (tokenId, event) => {
        written.push([tokenId, event])
        order.push('written')
      },
    },
    revocations: {
      announce: async () => {
        await world.announcing()
        order.push('announced')
      },
    },
    uptimeMs: () => world.uptimeMs,
  })
  return { revocation, world, written, order }
}

test('a token is revoked with its event, then announced', async (t) => {
  const { revocation, written, order } = makeRevocation()
  t.equal(await revocation.revoke(claims({ sessionId: 's', familyId: 'f' }), act), undefined)
  t.strictSame(written, [
    [
      'jti-1',
      {
        type: 'token.revoked',
        outcome: 'success',
        actor: 'svc_a',
        subject: 'svc_a',
        clientId: 'svc_a',
        sessionId: 's',
        familyId: 'f',
        details: { token_id: 'jti-1' },
        origin: { requestId: 'r1' },
      },
    ],
  ])
  t.strictSame(order, ['written', 'announced'])
})

test('what cannot be announced is not promised', async (t) => {
  const { revocation, world } = makeRevocation()
  world.announcing = async () => {
    throw new Unavailable('down')
  }
  await t.rejects(revocation.revoke(claims(), act), Unavailable)
})

test('sixty in a minute are enough for one owner; others are not concerned', async (t) => {
  const { revocation, world, written } = makeRevocation()
  for (let i = 0; i < 60; i += 1) t.equal(await revocation.revoke(claims(), act), undefined)
  world.uptimeMs = 59_001
  t.strictSame(await revocation.revoke(claims(), act), { retryAfterSeconds: 1 })
  t.equal(written.length, 60)
  t.equal(await revocation.revoke(claims({ subject: 'someone' }), act), undefined)
  t.equal(await revocation.revoke(claims({ clientId: 'svc_b' }), act), undefined)
  world.uptimeMs = 60_000
  t.equal(await revocation.revoke(claims(), act), undefined)
})

test('ten thousand owners in a minute are enough', async (t) => {
  const { revocation, world } = makeRevocation()
  for (let i = 0; i < 10_000; i += 1) {
    await revocation.revoke(claims({ subject: `user-${i}` }), act)
  }
  t.strictSame(await revocation.revoke(claims({ subject: 'user-x' }), act), {
    retryAfterSeconds: 60,
  })
  t.equal(await revocation.revoke(claims({ subject: 'user-1' }), act), undefined)
  world.uptimeMs = 60_000
  t.equal(await revocation.revoke(claims({ subject: 'user-x' }), act), undefined)
})
