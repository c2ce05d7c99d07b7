import t from 'tap'
import { serve } from '../cli/served.ts'

const { deps, run, json } = await serve(t)

type WireToken = { id: string; token?: string; expires_at: string; created_at: string }

const webApp = { redirectUris: ['https://app.example/cb'], settings: {} }

t.test('a token is made, shown once, and lets as many clients in as it says', async (t) => {
  const { token = '', ...made } = (await json([
    ...['registration-tokens', 'create', '--name', 'partner', '--max-uses', '2'],
    ...['--ttl-seconds', '60'],
  ])) as WireToken
  t.match(made, { name: 'partner', max_uses: 2, uses: 0, revoked_at: null })
  t.equal(Date.parse(made.expires_at) - Date.parse(made.created_at), 60_000)
  await deps.selfRegistration?.register(webApp, token, {})
  t.strictSame(await json(['registration-tokens', 'list']), [{ ...made, uses: 1 }])
  const { stdout } = await run(['registration-tokens', 'list'])
  t.match(stdout, /^ID +NAME +USED +EXPIRES +REVOKED\n/)
  t.match(stdout, new RegExp(`^${made.id} +partner +1 of 2 +`, 'm'))
  const revoked = await json(['registration-tokens', 'revoke', made.id])
  t.match(revoked, { id: made.id, revoked_at: /Z$/ })
  await t.rejects(async () => deps.selfRegistration?.register(webApp, token, {}), {
    code: 'invalid_token',
  })
})

t.test('one for any number of clients', async (t) => {
  t.match(await json(['registration-tokens', 'create', '--name', 'ci', '--unlimited']), {
    max_uses: null,
  })
  const { stdout } = await run(['registration-tokens', 'create', '--name', 'person'])
  t.match(stdout, /\n\nKeep the token: it will not be shown again\.\n$/)
})

t.test('what cannot be is refused in one sentence', async (t) => {
  t.strictSame(await run(['registration-tokens', 'revoke', 'nothing']), {
    code: 1,
    stdout: '',
    stderr: 'There is no such registration token\n',
  })
  t.match(await run(['registration-tokens', 'create', '--name', 'x', '--max-uses', '0']), {
    code: 2,
  })
})
