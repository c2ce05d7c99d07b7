import t from 'tap'
import { type AcrVerdict, judgeAcr } from '../../src/authorize/acr-decision.ts'

const ours = 'urn:tessera:pwd'
const essential = (rest: object) => ({ id_token: { acr: { essential: true, ...rest } } })

const cases: Record<
  string,
  readonly [request: Partial<Parameters<typeof judgeAcr>[0]>, acr: string | null, AcrVerdict]
> = {
  'nothing asked for': [{}, null, 'met'],
  'what the session has': [{ acrValues: [ours] }, ours, 'met'],
  'what the session has, among others': [{ acrValues: ['phr', ours] }, ours, 'met'],
  'what an older session does not say': [{ acrValues: [ours] }, null, 'sign_in'],
  'what nobody can have': [{ acrValues: ['phr'] }, ours, 'unmet'],
  'what nobody can have, of an older session': [{ acrValues: ['phr'] }, null, 'unmet'],
  'voluntary claims': [{ claims: { id_token: { acr: { values: ['phr'] } } } }, ours, 'met'],
  'a claim that need not be': [{ claims: { id_token: { acr: null } } }, null, 'met'],
  'an essential claim of any value': [{ claims: essential({}) }, ours, 'met'],
  'an essential claim that is met': [{ claims: essential({ value: ours }) }, ours, 'met'],
  'an essential claim that is not': [{ claims: essential({ values: ['phr'] }) }, ours, 'unmet'],
  'an essential claim of userinfo': [
    { claims: { userinfo: { acr: { essential: true, value: 'phr' } } } },
    ours,
    'unmet',
  ],
  'acr_values that are met beside a claim that is not': [
    { acrValues: [ours], claims: essential({ value: 'phr' }) },
    ours,
    'unmet',
  ],
}

for (const [name, [request, acr, verdict]] of Object.entries(cases)) {
  t.test(`${name}: ${verdict} (RFC 9470 §5)`, async (t) => {
    t.equal(judgeAcr({ acrValues: [], ...request }, acr, false), verdict)
  })
}

t.test('some clients are content with less, but never with a claim unmet', async (t) => {
  t.equal(judgeAcr({ acrValues: ['phr'] }, null, true), 'met')
  const claims = essential({ value: 'phr' })
  t.equal(judgeAcr({ acrValues: ['phr'], claims }, null, true), 'unmet')
})
