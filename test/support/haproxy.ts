import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.ts'
import { noteProcess, type Owner } from './run-folder.ts'
import { systemTool } from './system-tool.ts'
import { waitUntil } from './wait-until.ts'

const configuration = fileURLToPath(new URL('../../deploy/haproxy.cfg', import.meta.url))

/**
 * Starts HAProxy with the configuration of `deploy/` in front of two nodes; it ends with its owner.
 *
 * @param ports of the nodes, on the loopback address
 * @returns its base URL, and all that it has said
 * @throws {MissingTool} when the machine has none and it can't be installed
 */
export async function startHaproxy(
  owner: Owner,
  ports: readonly [number, number],
): Promise<{ readonly url: string; output(): string }> {
  const program = await systemTool({ programs: ['haproxy'], debianPackage: 'haproxy' })
  const port = await freePort()
  const child = spawn(program, ['-db', '-f', configuration], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      HAPROXY_BIND: `127.0.0.1:${port}`,
      TESSERA_NODE_1: `127.0.0.1:${ports[0]}`,
      TESSERA_NODE_2: `127.0.0.1:${ports[1]}`,
    },
  })
  noteProcess(child)
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  owner.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const url = `http://127.0.0.1:${port}`
  await waitUntil('HAProxy', async () => (await fetch(`${url}/health/ready`)).ok).catch(
    (cause: unknown) => {
      throw new Error(`HAProxy did not start:\n${text}`, { cause })
    },
  )
  return { url, output: () => text }
}
