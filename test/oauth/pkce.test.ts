import t from 'tap'
import { isCodeChallenge, isCodeVerifier, toCodeChallenge } from '../../src/oauth/pkce.ts'

t.test('the challenge of RFC 7636, appendix B', async (t) => {
  const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
  t.equal(toCodeChallenge(verifier), 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
})

t.test('a verifier has 43 to 128 unreserved characters (RFC 7636 §4.1)', async (t) => {
  for (const good of ['a'.repeat(43), 'a'.repeat(128), `${'a'.repeat(40)}-._~`]) {
    t.equal(isCodeVerifier(good), true, good)
  }
  for (const bad of [
    '',
    'a'.repeat(42),
    'a'.repeat(129),
    `${'a'.repeat(43)}+`,
    `${'a'.repeat(43)}\n`,
  ]) {
    t.equal(isCodeVerifier(bad), false, JSON.stringify(bad))
  }
})

t.test('an S256 challenge is a SHA-256 in base64url, without padding', async (t) => {
  t.equal(isCodeChallenge(toCodeChallenge('a'.repeat(43))), true)
  for (const bad of [
    '',
    'a'.repeat(42),
    'a'.repeat(44),
    `${'a'.repeat(42)}=`,
    `${'a'.repeat(42)}+`,
  ]) {
    t.equal(isCodeChallenge(bad), false, JSON.stringify(bad))
  }
})
