import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import { serveLocalSocket } from '../../src/cli/local-socket.ts'
import { performOperation } from '../../src/cli/operations/perform.ts'
import { localSocketPath } from '../../src/cli/socket-path.ts'
import { loadConfig } from '../../src/config.ts'
import { createDeps, type Deps } from '../../src/deps.ts'
import { createLogger } from '../../src/plugins/logger.ts'
import { openInMemory } from '../../src/stores/postgres/embedded.ts'
import { freePort } from './free-port.ts'
import { noteProcess, temporaryFolder } from './run-folder.ts'
import { testEnvironment } from './service.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The lines that a page tells its reader to paste, block by block. */
export const linesOf = (page: string): string[] => {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  return [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, lines = '']) => lines)
}

/** Pasted lines that run in a shell. */
export type Shell = {
  /** Standard output and error so far. */
  output(): string
  /** Settles when all has ended, with the exit code. */
  readonly ended: Promise<number | null>
}

/** The service as the reader of a page has it, over HTTP, and a shell beside it. */
export type Guide = {
  readonly app: FastifyInstance
  readonly deps: Deps
  readonly issuer: string
  /** Where the reader's own app listens instead of port 3000. */
  readonly appUrl: string
  /** Pastes lines, with the ports of this test; what still runs ends with the test. */
  paste(lines: string, replacements?: Readonly<Record<string, string>>): Shell
}

/** Starts the service in the embedded mode, in which the command line asks the running one. */
export const startGuide = async (t: Test): Promise<Guide> => {
  const [port, appPort] = [await freePort(), await freePort()]
  const [issuer, appUrl] = [`http://localhost:${port}`, `http://localhost:${appPort}`]
  const settings = {
    ...{ ...testEnvironment, ISSUER: issuer, PORT: `${port}`, HOST: 'localhost' },
    DATA_DIR: temporaryFolder('guide'),
  }
  const config = loadConfig(settings, () => '')
  const embedded = await openInMemory()
  const deps = await createDeps(config, createLogger('silent'), { embedded })
  await deps.beginService()
  const socket = await serveLocalSocket(localSocketPath(config.dataDir), (request) =>
    performOperation(deps, request),
  )
  const app = await buildApp(deps)
  t.teardown(async () => {
    await app.close()
    await socket.close()
    await deps.close()
  })
  await app.listen({ port, host: 'localhost' })
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, ...settings, APP_URL: appUrl }
  const paste = (lines: string, replacements: Readonly<Record<string, string>> = {}): Shell => {
    const ours = { 'http://localhost:4000': issuer, 'http://localhost:3000': appUrl }
    return runShell(t, replaceAll(lines, { ...ours, ...replacements }), env)
  }
  return { app, deps, issuer, appUrl, paste }
}

/** Each former text by its latter, the longest first. */
export const replaceAll = (text: string, replacements: Readonly<Record<string, string>>): string =>
  Object.entries(replacements).reduce((all, [from, to]) => all.replaceAll(from, to), text)

const runShell = (t: Test, lines: string, env: NodeJS.ProcessEnv): Shell => {
  const shell = spawn('sh', ['-e', '-c', lines], {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  noteProcess(shell, { group: true })
  const { pid } = shell
  t.teardown(() => {
    if (shell.exitCode === null && pid !== undefined) process.kill(-pid, 'SIGKILL')
  })
  let text = ''
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  const ended = once(shell, 'close').then(([code]) => code as number | null)
  return { output: () => text, ended }
}
