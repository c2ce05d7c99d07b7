import type { Test } from 'tap'
import { startChromium } from './chromium.ts'

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

/** Starts Chromium without a window and opens a page; it ends with the test. */
export const openPage = async (t: Test): Promise<Page> => {
  const { context, complaints, requests } = await startChromium(t)
  const page = await context.newPage()
  return {
    complaints,
    requests,
    evaluate: (expression) => page.evaluate(expression),
    async open(url) {
      await page.goto(url)
    },
    resize: (width, height) => page.setViewportSize({ width, height }),
  }
}
