import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import t from 'tap'
import { assets } from '../../src/endpoints/pages/assets.ts'
import { registerBrowserSessions } from '../../src/plugins/browser-sessions.ts'
import { registerBrowsers } from '../../src/plugins/browsers.ts'
import { pagesOf, registerPages } from '../../src/plugins/pages.ts'
import { seriousFaults } from '../support/accessibility.ts'
import { startChromium } from '../support/chromium.ts'
import { freePort } from '../support/free-port.ts'
import { startService } from '../support/service.ts'
import { pageExamples } from '../views/page-examples.ts'

const folder = fileURLToPath(new URL('../../build/screenshots/', import.meta.url))
mkdirSync(folder, { recursive: true })

/** Every page as it looks with all that it may have to show. */
const servePages = async () => {
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const { deps } = await startService(t, { ISSUER: issuer })
  const app = Fastify()
  t.teardown(() => app.close())
  registerBrowserSessions(app, deps)
  registerBrowsers(app, deps)
  registerPages(app, deps)
  await app.register(assets)
  for (const [page, data] of Object.entries(pageExamples)) {
    if (page === 'form-post') continue
    app.get(`/${page}`, (request, reply) =>
      pagesOf(app).send(request, reply, page as 'sign-in', data as never),
    )
  }
  await app.listen({ port, host: 'localhost' })
  return issuer
}

const issuer = await servePages()
const names = Object.keys(pageExamples).filter((name) => name !== 'form-post')
const widths = [1280, 375, 320]

for (const [colorScheme, locale] of [
  ['light', 'en'],
  ['dark', 'de'],
] as const) {
  t.test(
    `every page in the ${colorScheme} theme (${locale}): accessible, and fits into 320 px`,
    async (t) => {
      const { context, complaints } = await startChromium(t, { colorScheme, locale })
      // The picture of a client is of another place, which the policy of this test leaves out.
      await context.route('https://app.example/**', (route) => route.abort())
      const page = await context.newPage()
      for (const name of names) {
        await page.goto(`${issuer}/${name}`)
        t.equal(await page.getAttribute('html', 'lang'), locale)
        for (const width of widths) {
          await page.setViewportSize({ width, height: 800 })
          const scrolls = await page.evaluate(
            'document.documentElement.scrollWidth > document.documentElement.clientWidth',
          )
          t.equal(scrolls, false, `${name} needs no sideways scrolling at ${width} px`)
          const path = join(folder, `${name}-${colorScheme}-${width}.png`)
          await page.screenshot({ path, fullPage: true })
        }
        t.strictSame(await seriousFaults(page), [], name)
      }
      t.strictSame(
        complaints.filter((text) => !text.includes('app.example')),
        [],
      )
    },
  )
}
