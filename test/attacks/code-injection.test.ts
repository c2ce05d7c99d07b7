import t from 'tap'
import {
  createPkce,
  createVisitor,
  isActive,
  redeem,
  type TokenAnswer,
  takeCode,
} from '../support/code-flow.ts'
import { redirectUri, registerApp, startProvider } from '../support/relying-party.ts'

// Somebody has got hold of a person's code: from a log, a referrer, a browser extension. It must be
// of no use to them, and they must not spoil it for the app that it was meant for (RFC 9700 §4.5).
const provider = await startProvider(t)
const redirectUris = [redirectUri, 'https://app.example/other']
const app = await registerApp(provider, { redirectUris })
const attacker = await registerApp(provider, { redirectUris })
const visitor = await createVisitor(provider)

const unknown: TokenAnswer = {
  status: 400,
  body: { error: 'invalid_grant', error_description: 'The code is not valid', code: 'unknown' },
}

const pkce = await createPkce()
const otherPkce = await createPkce()

const flip = (text: string, position: number): string => {
  const other = text[position] === 'A' ? 'B' : 'A'
  return text.slice(0, position) + other + text.slice(position + 1)
}

type Attempt = (code: string) => Promise<TokenAnswer>
const attempts: Readonly<Record<string, Attempt>> = {
  'by a client of their own': (code) => redeem(provider, attacker, code, pkce),
  'in a sign-in of their own, with its verifier': (code) => redeem(provider, app, code, otherPkce),
  'without a verifier': (code) => redeem(provider, app, code, pkce, { code_verifier: undefined }),
  'with the challenge as verifier': (code) =>
    redeem(provider, app, code, { verifier: pkce.challenge }),
  'for another redirect URI of the same app': (code) =>
    redeem(provider, app, code, pkce, { redirect_uri: 'https://app.example/other' }),
  'for a redirect URI in another spelling': (code) =>
    redeem(provider, app, code, pkce, { redirect_uri: 'https://APP.example/callback' }),
}

for (const [attempt, attack] of Object.entries(attempts)) {
  t.test(`a stolen code redeemed ${attempt}: refused as unknown, the owner goes on`, async (t) => {
    const code = await takeCode(provider, visitor, app, pkce)
    t.strictSame(await attack(code), unknown)
    t.strictSame(await attack(code), unknown, 'trying again tells no more')
    t.equal((await redeem(provider, app, code, pkce)).status, 200)
  })
}

t.test('a code with any character changed, missing or added is unknown', async (t) => {
  const code = await takeCode(provider, visitor, app, pkce)
  const changed = [
    ...Array.from(code, (_, position) => flip(code, position)),
    code.slice(0, -1),
    `${code}A`,
    ` ${code}`,
    `${code}\n`,
    code.toUpperCase(),
    `${code}=`,
    code.replace('tac_', ''),
  ]
  for (const each of changed) {
    t.strictSame(await redeem(provider, app, each, pkce), unknown, JSON.stringify(each))
  }
  t.equal((await redeem(provider, app, code, pkce)).status, 200)
})

t.test('a code that is used again with every proof ends what the first use gave', async (t) => {
  const code = await takeCode(provider, visitor, app, pkce)
  const { body } = await redeem(provider, app, code, pkce)
  const { access_token: accessToken = '', refresh_token: refreshToken = '' } = body
  t.equal(await isActive(provider, app, accessToken), true)

  t.strictSame(await redeem(provider, attacker, code, pkce), unknown)
  t.strictSame(await redeem(provider, app, code, otherPkce), unknown)
  t.equal(await isActive(provider, app, accessToken), true, 'without the proofs nothing ends')

  t.match(await redeem(provider, app, code, pkce), {
    status: 400,
    body: { error: 'invalid_grant', code: 'reused' },
  })
  t.equal(await isActive(provider, app, accessToken), false)
  t.equal(await isActive(provider, app, refreshToken), false)
})

t.test('a code that has lain about for a minute is of no use to anybody', async (t) => {
  const code = await takeCode(provider, visitor, app, pkce)
  provider.moveTime(61)
  t.match(await redeem(provider, app, code, pkce), {
    status: 400,
    body: { error: 'invalid_grant', code: 'expired' },
  })
})
