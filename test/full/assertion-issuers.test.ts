import t from 'tap'
import { serve } from '../cli/served.ts'

const { run, json } = await serve(t)
const command = (...words: string[]) => ['assertion-issuers', ...words]
const set = command(
  ...['set', 'https://ci.example', '--jwks-uri', 'https://ci.example/jwks.json'],
  ...['--client', 'deployer', 'tester', '--audience', 'https://deploy.example'],
  ...['--scope', 'deploy', '--subject', 'external', '--max-lifetime-seconds', '120'],
)
const issuer = {
  issuer: 'https://ci.example',
  jwks: null,
  jwks_uri: 'https://ci.example/jwks.json',
  clients: ['deployer', 'tester'],
  audience: ['https://deploy.example'],
  scope: ['deploy'],
  subject: 'external',
  assertion_audience: 'issuer',
  max_lifetime_seconds: 120,
}

t.test('an issuer is set, listed and removed', async (t) => {
  t.strictSame(await json(set), issuer)
  t.strictSame(await json(command('list')), [issuer])
  t.match((await run(command('list'))).stdout, /^https:\/\/ci\.example +external +deployer tester/m)
  const removal = command('remove', 'https://ci.example')
  t.strictSame(await json(removal), { removed: 'https://ci.example' })
  t.match(await run(removal), { code: 1, stderr: 'There is no such resource' })
})

t.test('what cannot be is refused', async (t) => {
  t.match(await run([...set, '--jwks', '{}']), { code: 1, stderr: 'or jwks_uri is needed' })
  t.match(await run([...set, '--jwks', '{']), { code: 2, stderr: 'It is not JSON.' })
  t.match(await run([...set, '--subject', 'email']), { code: 2 })
})
