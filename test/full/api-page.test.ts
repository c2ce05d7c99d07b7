import t, { type Test } from 'tap'
import { openPage } from '../support/browser.ts'
import { createTestDatabase } from '../support/database.ts'
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

/** Types as a person does: through the setter that React watches. */
const type = (selector: string, text: string) => `(() => {
  const input = document.querySelector(${JSON.stringify(selector)})
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, ${JSON.stringify(text)})
  input.dispatchEvent(new Event('input', { bubbles: true }))
  input.dispatchEvent(new Event('change', { bubbles: true }))
})()`
const click = (selector: string) => `document.querySelector(${JSON.stringify(selector)}).click()`
const exists = (selector: string) => `document.querySelector(${JSON.stringify(selector)}) !== null`
const text = (selector: string) =>
  `document.querySelector(${JSON.stringify(selector)})?.textContent ?? ''`
const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

t.test('a person signs in on the API page, and the token reaches a protected call', async (t) => {
  const server = await startServer(t, await environment(t))
  await fetch(`${server.url}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })
  const page = await openPage(t)
  await page.open(`${server.url}/docs`)
  const appears = (selector: string) =>
    waitUntil(selector, () => page.evaluate<boolean>(exists(selector)))

  await appears('.btn.authorize')
  await page.evaluate(click('.btn.authorize'))
  await appears('#oauth_username')
  await page.evaluate(type('#oauth_username', email))
  await page.evaluate(type('#oauth_password', password))
  await page.evaluate(click('.modal-btn.authorize'))
  await waitUntil('the sign-in', () =>
    page.evaluate<boolean>(`/Authorized/.test(document.querySelector('.modal-ux').textContent)`),
  )
  await page.evaluate(click('.btn-done'))

  await appears('#operations-Account-getAuthMe')
  await page.evaluate(click('#operations-Account-getAuthMe button.opblock-summary-control'))
  await appears('#operations-Account-getAuthMe .try-out__btn')
  await page.evaluate(click('#operations-Account-getAuthMe .try-out__btn'))
  await appears('#operations-Account-getAuthMe .execute')
  await page.evaluate(click('#operations-Account-getAuthMe .execute'))
  const answer = () => page.evaluate<string>(text('#operations-Account-getAuthMe'))
  await waitUntil('the answer', async () => (await answer()).includes(`"email": "${email}"`))

  t.equal(
    await page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])'),
    '[{},{}]',
    'neither the password nor a token outlives the page',
  )
  t.same(page.complaints, [], 'nothing is blocked by the policy of the page')
  t.same(
    page.requests.filter((url) => !/^(http:\/\/127\.0\.0\.1:|data:)/.test(url)),
    [],
    'nothing is loaded from elsewhere',
  )
})

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
