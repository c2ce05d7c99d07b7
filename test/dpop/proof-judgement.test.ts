import fc from 'fast-check'
import t from 'tap'
import type { DpopProof } from '../../src/dpop/proof.ts'
import { hashAccessToken, judgeProof, type ProvenRequest } from '../../src/dpop/proof-judgement.ts'

const now = new Date('2026-11-20T12:00:00Z')
const seconds = (offset: number) => new Date(now.getTime() + offset * 1000)

const request: ProvenRequest = {
  method: 'POST',
  urls: ['https://as.example/token', 'https://mtls.example/token'],
  demandsNonce: false,
}
const proof: DpopProof = {
  jkt: 'key',
  algorithm: 'ES256',
  tokenId: 'id',
  method: 'POST',
  url: 'https://as.example/token',
  issuedAt: now,
}
const withNonce = { ...proof, nonce: 'nonce' }

t.test('a proof without a nonce is remembered as long as its iat is near enough', async (t) => {
  t.strictSame(judgeProof(proof, request, undefined, now), {
    notBefore: seconds(-60),
    notAfter: seconds(60),
  })
})

t.test('a proof with a nonce is remembered from then until the nonce ends', async (t) => {
  t.strictSame(judgeProof(withNonce, request, seconds(-10), now), {
    notBefore: seconds(-10),
    notAfter: seconds(290),
  })
})

t.test('a clock that is wrong by minutes does with a nonce, and not without', async (t) => {
  for (const offset of [-200, 200]) {
    const late = { issuedAt: seconds(offset) }
    t.match(judgeProof({ ...withNonce, ...late }, request, now, now), { notBefore: Date })
    t.match(judgeProof({ ...proof, ...late }, request, undefined, now), {
      error: 'invalid_dpop_proof',
    })
  }
})

t.test('every address that clients know the service by will do, and no other', async (t) => {
  for (const url of request.urls) {
    t.notOk('error' in judgeProof({ ...proof, url }, request, undefined, now))
  }
  for (const url of ['https://other.example/token', 'https://as.example/par', 'x', '']) {
    t.match(judgeProof({ ...proof, url }, request, undefined, now), {
      error: 'invalid_dpop_proof',
    })
  }
})

t.test('ath is compared where an access token is presented, to the last letter', async (t) => {
  const presenting = { ...request, accessToken: 'a.b.c' }
  const judge = (accessTokenHash: string | undefined) =>
    judgeProof(
      { ...proof, ...(accessTokenHash === undefined ? {} : { accessTokenHash }) },
      presenting,
      undefined,
      now,
    )
  t.notOk('error' in judge(hashAccessToken('a.b.c')))
  for (const wrong of [undefined, '', 'x', hashAccessToken('a.b.c='), hashAccessToken('')]) {
    t.match(judge(wrong), { error: 'invalid_dpop_proof' })
  }
})

t.test('whether a nonce is demanded decides about proofs without one only', async (t) => {
  const demanding = { ...request, demandsNonce: true }
  t.match(judgeProof(proof, demanding, undefined, now), { error: 'use_dpop_nonce' })
  t.match(judgeProof(withNonce, request, undefined, now), { error: 'use_dpop_nonce' })
  t.notOk('error' in judgeProof(withNonce, demanding, now, now))
})

t.test('what passes is remembered for a time that holds now and ends soon', async () => {
  const nonceAge = fc.option(fc.integer({ min: 0, max: 299 }), { nil: undefined })
  fc.assert(
    fc.property(
      fc.integer({ min: -700, max: 700 }),
      nonceAge,
      fc.boolean(),
      (iat, age, demandsNonce) => {
        const nonceTime = age === undefined ? undefined : seconds(-age)
        const presented = { ...(age === undefined ? proof : withNonce), issuedAt: seconds(iat) }
        const judged = judgeProof(presented, { ...request, demandsNonce }, nonceTime, now)
        const isNear = Math.abs(iat) <= (age === undefined ? 60 : 300)
        if ('error' in judged) return !isNear || (age === undefined && demandsNonce)
        const { notBefore, notAfter } = judged
        const isShort = notAfter.getTime() - notBefore.getTime() <= 300_000
        return isNear && isShort && notBefore <= now && now <= notAfter
      },
    ),
    { numRuns: 1000 },
  )
})
