import { once } from 'node:events'
import { connect } from 'node:net'
import { freePort } from '../../test/support/free-port.ts'
import { temporaryFolder } from '../../test/support/run-folder.ts'
import { waitUntil } from '../../test/support/wait-until.ts'
import { startProgram } from './program.ts'

/** The real service as `npm start` starts it, with default settings; its log goes to /dev/null. */
export type ServiceProcess = {
  readonly port: number
  readonly pid: number
  /** From the start of the process until it accepted a connection. */
  readonly startMs: number
  stop(): Promise<void>
}

/**
 * @param env all of its environment but the port
 * @param dataDir where the embedded mode keeps its data
 */
export const startService = async (
  env: Readonly<Record<string, string>>,
  dataDir: string = temporaryFolder('data'),
): Promise<ServiceProcess> => {
  const port = await freePort()
  const startedAt = performance.now()
  const program = startProgram('src/main.ts', {
    env: { ...env, PORT: `${port}`, DATA_DIR: dataDir },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const hasEnded = () => program.child.exitCode !== null
  await waitUntil('the service', async () => hasEnded() || (await accepts(port)), {
    timeoutMs: 60_000,
    intervalMs: 5,
  })
  if (hasEnded()) throw new Error('the service ended instead of starting')
  return { port, pid: program.pid, startMs: performance.now() - startedAt, stop: program.stop }
}

const accepts = async (port: number): Promise<boolean> => {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } finally {
    socket.destroy()
  }
}
