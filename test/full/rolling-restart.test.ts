import { type Test, test } from 'tap'
import { createMachine } from '../endpoints/oauth/requests.ts'
import { freePort } from '../support/free-port.ts'
import { startHaproxy } from '../support/haproxy.ts'
import { type Act, type Exchange, json, startLoad } from '../support/load.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { register, startService, testEnvironment } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const startNode = (t: Test, DATABASE_URL: string, port: number): Promise<ServerProcess> =>
  startServer(t, {
    ...testEnvironment,
    DATABASE_URL,
    PORT: `${port}`,
    TRUSTED_PROXIES: '127.0.0.1',
    SHUTDOWN_DELAY_MS: '3000',
    RATE_LIMIT_REGISTRATION: '1000/60',
  })

/** What people and machines do beside refreshing, by the route that serves it. */
const prepareActs = async (t: Test) => {
  const { app, deps, databaseUrl } = await startService(t)
  const { email, password } = await register(app)
  const { headers } = await createMachine(deps, { grantTypes: ['client_credentials'] })
  const form = (fields: Record<string, string>) => ({
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  })
  const askForToken = (exchange: Exchange) =>
    exchange('/token', form({ grant_type: 'client_credentials' }))
  const acts: Record<string, Act> = {
    '/auth/login': async (exchange) =>
      (await exchange('/auth/login', json({ email, password }))).status,
    '/token': async (exchange) => (await askForToken(exchange)).status,
    '/introspect': async (exchange) => {
      const token = (JSON.parse((await askForToken(exchange)).body) as { access_token: string })
        .access_token
      const { status, body } = await exchange('/introspect', form({ token }))
      if ((JSON.parse(body) as { active: boolean }).active) return status
      throw new Error('a good token is said to be none')
    },
    '/.well-known/jwks.json': async (exchange) => (await exchange('/.well-known/jwks.json')).status,
  }
  return { databaseUrl, acts }
}

test('nodes behind HAProxy are replaced one after the other, and no request fails', async (t) => {
  const { databaseUrl, acts } = await prepareActs(t)
  const ports = [await freePort(), await freePort()] as const
  const nodes = [
    await startNode(t, databaseUrl, ports[0]),
    await startNode(t, databaseUrl, ports[1]),
  ]
  const { url, output } = await startHaproxy(t, ports)
  const load = await startLoad(url, 4, Object.values(acts))
  const routes = ['/refresh', ...Object.keys(acts)]
  const bothServe = () =>
    waitUntil(
      'both nodes to serve everything',
      () =>
        nodes.every((node) => {
          const served = new Set(node.log().map(({ route }) => route))
          return routes.every((route) => served.has(route))
        }),
      { timeoutMs: 30_000, intervalMs: 250 },
    )
  for (const [index, node] of nodes.entries()) {
    await bothServe()
    t.strictSame(await node.stop(), { code: 0, signal: null })
    nodes[index] = await startNode(t, databaseUrl, node.port)
    await waitUntil('HAProxy to take it back', () =>
      output().includes(`Server tessera/node${index + 1} is UP`),
    )
  }
  await bothServe()
  const { statuses, broken } = await load.stop()
  t.strictSame([...statuses.keys()], [200])
  t.strictSame(broken, [])
})
