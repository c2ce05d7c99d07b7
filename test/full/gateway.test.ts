import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { freePort } from '../support/free-port.ts'
import { linesOf, replaceAll, startGuide } from '../support/guide.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { systemTool } from '../support/system-tool.ts'
import { waitUntil } from '../support/wait-until.ts'

const nginx = { programs: ['nginx'], debianPackage: 'libnginx-mod-http-js' } as const
const folder = fileURLToPath(new URL('../../examples/gateway', import.meta.url))

/** What stands behind the gateway: it notes what reaches it. */
const startProtected = async (t: Test) => {
  const seen: IncomingHttpHeaders[] = []
  const port = await freePort()
  const server = createServer((request, response) => {
    seen.push(request.headers)
    response.end('the report')
  }).listen(port, 'localhost')
  t.teardown(() => server.close())
  return { port, seen }
}

t.test('docs/gateway.md works as written', async (t) => {
  await systemTool(nginx)
  const guide = await startGuide(t)
  const behind = await startProtected(t)
  const port = await freePort()
  const copy = join(temporaryFolder('gateway'), 'gateway')
  cpSync(folder, copy, { recursive: true })
  const places = {
    'http://localhost:4000': guide.issuer,
    'http://localhost:5000': `http://localhost:${behind.port}`,
    '127.0.0.1:8080': `127.0.0.1:${port}`,
    'examples/gateway': copy,
  }
  const configuration = join(copy, 'nginx.conf')
  writeFileSync(configuration, replaceAll(readFileSync(configuration, 'utf8'), places))
  const [register = '', run = '', attempt = '', audience = ''] = linesOf('gateway.md')
  const gateway = `http://127.0.0.1:${port}`
  const ask = (headers: Record<string, string>) => fetch(`${gateway}/reports`, { headers })

  const registered = guide.paste(register, places)
  t.equal(await registered.ended, 0, registered.output())
  // As root nginx would read its files as somebody who may not look into the test's folder.
  const asRoot: Record<string, string> =
    process.getuid?.() === 0 ? { 'nginx -p': "nginx -g 'user root;' -p" } : {}
  const running = guide.paste(run, { ...places, ...asRoot })
  await waitUntil('nginx', async () => (await fetch(gateway)).status === 401).catch((cause) => {
    throw new Error(`nginx did not start:\n${running.output()}`, { cause })
  })

  const tried = guide.paste(`${attempt}echo "$TOKEN"`, places)
  t.equal(await tried.ended, 0, tried.output())
  const [without, withToken, revoked = ''] = tried.output().trim().split('\n')
  t.strictSame([without, withToken], ['401', '200'])
  t.match(behind.seen, [{ 'x-token-subject': 'caller', 'x-token-scope': 'reports:read' }])
  t.equal(behind.seen[0]?.authorization, undefined, 'the token goes no further')

  await t.test('a token for another audience is refused', async (t) => {
    const { secret } = await guide.deps.clientAdministration.create(
      { id: 'other', name: 'Other', audience: ['https://other.example'] },
      { actor: 'cli', origin: {} },
    )
    const answer = await fetch(`${guide.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`other:${secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    const { access_token: token } = (await answer.json()) as { access_token: string }
    const refused = await ask({ authorization: `Bearer ${token}` })
    t.equal(refused.status, 401)
    t.equal(refused.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
  })

  await t.test('a caller cannot say who it is', async (t) => {
    const refused = await ask({ 'x-token-subject': 'admin' })
    t.equal(refused.status, 401)
    t.equal(behind.seen.length, 1)
  })

  await waitUntil('the revocation', async () => {
    return (await ask({ authorization: `Bearer ${revoked}` })).status === 401
  })

  const set = guide.paste(audience, places)
  t.equal(await set.ended, 0, set.output())
})
