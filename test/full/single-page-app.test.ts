import t from 'tap'
import { startChromium } from '../support/chromium.ts'
import { linesOf, startGuide } from '../support/guide.ts'
import { register } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

t.test('docs/single-page-app.md works as written, in a real browser', async (t) => {
  const guide = await startGuide(t)
  const { appUrl, issuer } = guide
  const [create = '', run = ''] = linesOf('single-page-app.md')
  const shell = guide.paste(create + run)
  await waitUntil('the app', () => shell.output().includes('Open http'), { timeoutMs: 30_000 })
  const person = await register(guide.app)
  const { context, complaints, requests } = await startChromium(t)
  const page = await context.newPage()

  await page.goto(appUrl)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('input[name=username]').fill(person.email)
  await page.locator('input[name=password]').fill(person.password)
  await page.locator('form:has(input[name=password]) button').first().click()
  await page.getByRole('button', { name: 'Allow', exact: true }).click()
  await page.getByText(`You are ${person.email}.`).waitFor()
  t.equal(page.url(), `${appUrl}/`, 'the code does not stay in the address')
  await page.getByRole('button', { name: 'Renew' }).click()
  await page.getByText(`You are ${person.email}, renewed.`).waitFor()

  t.equal(
    await page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])'),
    '[{},{}]',
    'no token is stored',
  )
  // The first proof is asked for again with a nonce, which the browser notes as a failed request.
  const unexpected = complaints.filter((text) => !/status of 40[01]/.test(text))
  t.strictSame(unexpected, [], 'nothing is blocked by the policies of the pages')
  t.strictSame(
    [...new Set(requests.map((url) => new URL(url).origin))].sort(),
    [appUrl, issuer].sort(),
  )

  await t.test('an answer that the page did not ask for signs nobody in', async (t) => {
    await page.goto(`${appUrl}/?code=abc&state=def&iss=${encodeURIComponent(issuer)}`)
    await page.getByText('You are not signed in.').waitFor()
    t.equal(page.url(), `${appUrl}/`)
  })
})
