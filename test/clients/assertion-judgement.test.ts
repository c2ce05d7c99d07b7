import fc from 'fast-check'
import { test } from 'tap'
import { judgeAssertion } from '../../src/clients/assertion-judgement.ts'

const now = new Date('2026-11-20T12:00:00Z')
const seconds = now.getTime() / 1000
const target = { clientId: 'svc', issuer: 'https://auth.example', otherAudiences: [] }
const legacy = { ...target, otherAudiences: ['https://auth.example/token'] }
const claims = {
  ...{ iss: 'svc', sub: 'svc', aud: 'https://auth.example', jti: 'id' },
  ...{ iat: seconds, exp: seconds + 60 },
}
const judge = (special: object, type?: string, by: typeof target | typeof legacy = target) =>
  judgeAssertion({ type, claims: { ...claims, ...special } }, by, now)
const good = {
  tokenId: 'id',
  issuedAt: new Date((seconds - 10) * 1000),
  expiresAt: new Date((seconds + 60) * 1000),
}

test('an assertion that is right in all is good until it expires', async (t) => {
  for (const type of [undefined, 'jwt', 'client-authentication+jwt']) {
    t.strictSame(judge({}, type), good)
  }
})

const faults: Record<string, [claims: object, fault: string, type?: string]> = {
  'an access token': [{}, 'wrong_type', 'at+jwt'],
  'a logout token': [{}, 'wrong_type', 'logout+jwt'],
  'a DPoP proof': [{}, 'wrong_type', 'dpop+jwt'],
  'a request object': [{}, 'wrong_type', 'oauth-authz-req+jwt'],
  'a security event': [{}, 'wrong_type', 'secevent+jwt'],
  'another issuer': [{ iss: 'other' }, 'wrong_issuer'],
  'no issuer': [{ iss: undefined }, 'wrong_issuer'],
  'another subject': [{ sub: 'other' }, 'wrong_subject'],
  'no subject': [{ sub: undefined }, 'wrong_subject'],
  'no audience': [{ aud: undefined }, 'wrong_audience'],
  'another audience': [{ aud: 'https://other.example' }, 'wrong_audience'],
  'a list of audiences': [{ aud: ['https://auth.example'] }, 'wrong_audience'],
  'several audiences': [{ aud: ['https://auth.example', 'https://b.example'] }, 'wrong_audience'],
  'the token endpoint': [{ aud: 'https://auth.example/token' }, 'wrong_audience'],
  'the issuer with a slash': [{ aud: 'https://auth.example/' }, 'wrong_audience'],
  'no id': [{ jti: undefined }, 'no_id'],
  'an empty id': [{ jti: '' }, 'no_id'],
  'an id that is a number': [{ jti: 1 }, 'no_id'],
  'an endless id': [{ jti: 'x'.repeat(513) }, 'no_id'],
  'no expiry': [{ exp: undefined }, 'no_expiry'],
  'an expiry that is a text': [{ exp: `${seconds + 60}` }, 'no_expiry'],
  'an expiry beyond all time': [{ exp: 1e300 }, 'no_expiry'],
  'one that is over': [{ exp: seconds }, 'expired'],
  'one that is good for longer than ten minutes': [{ exp: seconds + 601 }, 'too_long'],
  'one that is not good yet': [{ nbf: seconds + 11 }, 'early'],
  'one from the future': [{ iat: seconds + 11 }, 'early'],
  'a time that is none': [{ iat: 'now' }, 'malformed_time'],
  'a beginning that is none': [{ nbf: null }, 'malformed_time'],
}

for (const [what, [special, fault, type]] of Object.entries(faults)) {
  test(`an assertion is refused: ${what}`, async (t) => {
    t.strictSame(judge(special, type), { fault })
  })
}

test('the token endpoint does as audience for clients of the legacy kind', async (t) => {
  const audiences = [
    'https://auth.example',
    'https://auth.example/token',
    ['https://auth.example/token', 'https://b.example'],
  ]
  for (const aud of audiences) t.strictSame(judge({ aud }, 'jwt', legacy), good)
  for (const aud of ['https://auth.example/revoke', [], ['https://b.example'], null]) {
    t.strictSame(judge({ aud }, 'jwt', legacy), { fault: 'wrong_audience' })
  }
})

test('without iat it may have been issued ten minutes before it ends', async (t) => {
  t.strictSame(judge({ iat: undefined }), { ...good, issuedAt: new Date((seconds - 540) * 1000) })
})

test('whatever the claims are, there is an answer', async () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...Object.keys(claims)), fc.anything()), (some) => {
      const judged = judge(some)
      return 'fault' in judged || judged.expiresAt > now
    }),
  )
})
