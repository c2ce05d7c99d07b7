import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { noteProcess, temporaryFolder } from './run-folder.ts'
import { type SystemTool, systemTool } from './system-tool.ts'
import { waitUntil } from './wait-until.ts'

/** The browser of the tests; the package is Debian's. */
export const chromium: SystemTool = {
  programs: ['chromium', 'chromium-browser', 'google-chrome'],
  debianPackage: 'chromium',
}

/** One page of a real browser. */
export type Page = {
  open(url: string): Promise<void>
  /** Width and height of the window, in CSS pixels. */
  resize(width: number, height: number): Promise<void>
  /** Runs an expression in the page, and waits for its promise. */
  evaluate<T>(expression: string): Promise<T>
  /** What the page complained about: console errors, blocked loads, exceptions. */
  readonly complaints: readonly string[]
  /** Every address that was asked for. */
  readonly requests: readonly string[]
}

type Message = { id?: number; method?: string; params?: unknown; result?: unknown; error?: object }

/** Starts Chromium without a window and opens a page; it ends with the test. */
export const openPage = async (t: Test): Promise<Page> => {
  const folder = temporaryFolder('browser')
  const browser = spawn(
    await systemTool(chromium),
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--remote-debugging-port=0',
      `--user-data-dir=${folder}`,
      'about:blank',
    ],
    { stdio: 'ignore' },
  )
  noteProcess(browser)
  t.teardown(async () => {
    browser.kill('SIGKILL')
    await waitUntil('the browser to end', () => browser.signalCode !== null)
  })
  const portFile = join(folder, 'DevToolsActivePort')
  const port = await waitUntil(
    'the browser',
    () => existsSync(portFile) && readFileSync(portFile, 'utf8').split('\n')[0],
    { timeoutMs: 30_000 },
  )
  const socket = await connect(await waitUntil('a page', () => findPage(port)))
  t.teardown(() => socket.close())
  return createPage(socket)
}

const findPage = async (port: string): Promise<string | undefined> => {
  const answer = await fetch(`http://127.0.0.1:${port}/json/list`)
  const targets = (await answer.json()) as { type: string; webSocketDebuggerUrl: string }[]
  return targets.find(({ type }) => type === 'page')?.webSocketDebuggerUrl
}

const connect = async (url: string): Promise<WebSocket> => {
  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', reject)
  })
  return socket
}

const createPage = async (socket: WebSocket): Promise<Page> => {
  const complaints: string[] = []
  const requests: string[] = []
  const waiting = new Map<number, (message: Message) => void>()
  let lastId = 0
  const send = async (method: string, params: object = {}): Promise<unknown> => {
    lastId += 1
    const id = lastId
    socket.send(JSON.stringify({ id, method, params }))
    const { result, error } = await new Promise<Message>((resolve) => waiting.set(id, resolve))
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`)
    return result
  }
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message
    if (message.id !== undefined) waiting.get(message.id)?.(message)
    const { method, params } = message
    if (method === 'Network.requestWillBeSent') {
      requests.push((params as { request: { url: string } }).request.url)
    }
    if (method === 'Runtime.exceptionThrown' || isError(message)) {
      complaints.push(JSON.stringify(params))
    }
  })
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`)
  const evaluate = async <T>(expression: string): Promise<T> => {
    const options = { expression, awaitPromise: true, returnByValue: true }
    const { result, exceptionDetails } = (await send('Runtime.evaluate', options)) as {
      result: { value: T }
      exceptionDetails?: object
    }
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    return result.value
  }
  return {
    complaints,
    requests,
    evaluate,
    async open(url) {
      await send('Page.navigate', { url })
      await waitUntil('the page', () => evaluate(`document.readyState === 'complete'`))
    },
    async resize(width, height) {
      const metrics = { width, height, deviceScaleFactor: 1, mobile: true }
      await send('Emulation.setDeviceMetricsOverride', metrics)
    },
  }
}

const isError = ({ method, params }: Message): boolean =>
  method === 'Log.entryAdded' && (params as { entry: { level: string } }).entry.level === 'error'
