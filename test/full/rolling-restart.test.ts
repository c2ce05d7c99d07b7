import { type Test, test } from 'tap'
import { createTestDatabase } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { startHaproxy } from '../support/haproxy.ts'
import { startLoad } from '../support/load.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { testEnvironment } from '../support/service.ts'
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

test('nodes behind HAProxy are replaced one after the other, and no request fails', async (t) => {
  const { url: databaseUrl } = await createTestDatabase(t)
  const ports = [await freePort(), await freePort()] as const
  const nodes = [
    await startNode(t, databaseUrl, ports[0]),
    await startNode(t, databaseUrl, ports[1]),
  ]
  const { url, output } = await startHaproxy(t, ports)
  const load = await startLoad(url)
  for (const [index, node] of nodes.entries()) {
    const answered = load.answered()
    await waitUntil('some answers', () => load.answered() > answered + 100)
    t.strictSame(await node.stop(), { code: 0, signal: null })
    nodes[index] = await startNode(t, databaseUrl, node.port)
    await waitUntil('HAProxy to take it back', () =>
      output().includes(`Server tessera/node${index + 1} is UP`),
    )
  }
  const answered = load.answered()
  await waitUntil('some answers', () => load.answered() > answered + 100)
  const { statuses, broken } = await load.stop()
  t.strictSame([...statuses.keys()], [200])
  t.strictSame(broken, [])
  const served = nodes.map((node) => node.log().some(({ route }) => route === '/refresh'))
  t.strictSame(served, [true, true], 'both new ones serve')
})
