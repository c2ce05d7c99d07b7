import {
  type BrowserContext,
  type BrowserContextOptions,
  chromium as driver,
} from 'playwright-core'
import type { Test } from 'tap'
import { type SystemTool, systemTool } from './system-tool.ts'

/** The browser of the tests; the package is Debian's. */
const chromium: SystemTool = {
  programs: ['chromium', 'chromium-browser', 'google-chrome'],
  debianPackage: 'chromium',
}

/** A real browser with as many windows as a flow opens. */
export type Chromium = {
  readonly context: BrowserContext
  /** What any of its windows complained about: console errors, blocked loads, exceptions. */
  readonly complaints: readonly string[]
  /** Every address that was asked for. */
  readonly requests: readonly string[]
}

/** Starts Chromium without a window; it ends with the test. */
export const startChromium = async (
  t: Test,
  options: BrowserContextOptions = {},
): Promise<Chromium> => {
  const browser = await driver.launch({
    executablePath: await systemTool(chromium),
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  })
  t.teardown(() => browser.close())
  const context = await browser.newContext({ locale: 'en', ...options })
  context.setDefaultTimeout(20_000)
  const complaints: string[] = []
  const requests: string[] = []
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  context.on('weberror', (error) => complaints.push(String(error.error())))
  context.on('request', (request) => requests.push(request.url()))
  return { context, complaints, requests }
}
