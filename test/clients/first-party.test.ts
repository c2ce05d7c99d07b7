import { test } from 'tap'
import { firstPartyAudience } from '../../src/clients/first-party.ts'

test('first-party tokens are for the issuer, and for the default audience where that is another', async (t) => {
  const issuer = 'https://issuer.example'
  t.strictSame(firstPartyAudience({ issuer, defaultAudience: issuer }), [issuer])
  t.strictSame(firstPartyAudience({ issuer, defaultAudience: 'https://api.example' }), [
    issuer,
    'https://api.example',
  ])
})
