import t, { type Test } from 'tap'
import { openPage } from '../support/browser.ts'
import { startChromium } from '../support/chromium.ts'
import { createTestDatabase } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { startServer } from '../support/server-process.ts'
import { testEnvironment } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const { ISSUER: _, ...settings } = testEnvironment
const environment = async (t: Test) => ({
  ...settings,
  DATABASE_URL: (await createTestDatabase(t)).url,
})
const email = 'jo@example.com'
const password = 'violet kettle on the roof'

const click = (selector: string) => `document.querySelector(${JSON.stringify(selector)}).click()`
const exists = (selector: string) => `document.querySelector(${JSON.stringify(selector)}) !== null`
const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

t.test(
  'a person signs in by the Authorize button, and the token reaches a protected call',
  async (t) => {
    const port = await freePort()
    const issuer = `http://localhost:${port}`
    const server = await startServer(t, {
      ...(await environment(t)),
      ...{ ISSUER: issuer, PORT: `${port}` },
    })
    await fetch(`${server.url}/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    })
    const { context, complaints, requests } = await startChromium(t)
    const page = await context.newPage()
    await page.goto(`${issuer}/docs`)

    await page.locator('.btn.authorize').first().click()
    for (const scope of await page.locator('.scopes input:not(:checked)').all()) {
      await scope.check({ force: true })
    }
    const popup = context.waitForEvent('page')
    await page.getByLabel('Apply given OAuth2 credentials').click()
    const signIn = await popup
    await signIn.locator('input[type=password]').waitFor()
    await signIn.locator('input[autocomplete~=username]').fill(email)
    await signIn.locator('input[type=password]').fill(password)
    await signIn.locator('form:has(input[type=password]) button').first().click()
    await page.getByText('Authorized', { exact: true }).waitFor()
    await page.locator('.btn-done').first().click()

    const operation = page.locator('#operations-Account-getAuthMe')
    await operation.locator('button.opblock-summary-control').click()
    await operation.locator('.try-out__btn').click()
    await operation.locator('.execute').click()
    await operation.getByText(`"email": "${email}"`).first().waitFor()

    t.strictSame(
      await page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])'),
      '[{},{}]',
      'no token outlives the page',
    )
    t.same(complaints, [], 'nothing is blocked by the policies of the pages')
    t.same(
      requests.filter((url) => !url.startsWith(`${issuer}/`) && !url.startsWith('data:')),
      [],
      'nothing is loaded from elsewhere',
    )
  },
)

t.test('the pages fit a phone of 320 pixels', async (t) => {
  const server = await startServer(t, await environment(t))
  const page = await openPage(t)
  await page.resize(320, 640)

  await page.open(`${server.url}/`)
  t.ok((await page.evaluate<number>(overflow)) <= 0, 'the first page')

  await page.open(`${server.url}/docs`)
  await waitUntil('the operations', () => page.evaluate<boolean>(exists('.opblock')))
  t.ok((await page.evaluate<number>(overflow)) <= 0, 'the API page')
  await page.evaluate(click('#operations-Sign-in-postAuthLogin button.opblock-summary-control'))
  await waitUntil('an operation', () =>
    page.evaluate<boolean>(exists('.opblock-body .responses-table')),
  )
  t.ok((await page.evaluate<number>(overflow)) <= 0, 'the API page with an operation open')
  t.same(page.complaints, [])
})
