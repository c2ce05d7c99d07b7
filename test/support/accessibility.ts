import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

/** What axe-core finds serious in a page, in its own words. */
export const seriousFaults = async (page: Page): Promise<string[]> => {
  // As the browser's own debugger runs it: the policy of the page stays as it is.
  await page.evaluate(`${axe}; undefined`)
  const found = await page.evaluate<Finding[]>(
    'axe.run(document).then(({ violations }) => violations)',
  )
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`))
}

type Finding = {
  readonly id: string
  readonly impact: string
  readonly help: string
  readonly nodes: readonly { readonly html: string }[]
}
