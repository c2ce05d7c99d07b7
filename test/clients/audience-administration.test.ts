import t from 'tap'
import { byOperator } from '../endpoints/oauth/requests.ts'
import { register, startService } from '../support/service.ts'

const api = 'https://api.example'
const { app, config, deps } = await startService(t, { DEFAULT_AUDIENCE: api })
const { audienceAdministration } = deps

t.test('audiences that people’s tokens share cannot want two algorithms', async (t) => {
  await audienceAdministration.set({ name: api, signingAlgorithm: 'ES256' }, byOperator)

  const refused = audienceAdministration.set(
    { name: config.issuer, signingAlgorithm: 'EdDSA' },
    byOperator,
  )

  const message = `must be ES256, as for ${api}: people get tokens for both at once`
  await t.rejects(refused, {
    code: 'validation',
    options: { fields: [{ field: 'signing_algorithm', message }] },
  })
  // Else the account would be made, and its tokens could not be signed.
  t.type((await register(app)).access_token, 'string')
})

t.test('the same algorithm, none, or that of another audience is well', async (t) => {
  for (const input of [
    { name: config.issuer, signingAlgorithm: 'ES256' },
    { name: config.issuer },
    { name: 'https://other.example', signingAlgorithm: 'EdDSA' },
    { name: api, signingAlgorithm: 'PS256' },
  ]) {
    t.strictSame(await audienceAdministration.set(input, byOperator), input)
  }
  t.type((await register(app)).access_token, 'string')
})
