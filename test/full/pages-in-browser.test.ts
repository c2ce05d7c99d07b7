import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { BrowserContextOptions } from 'playwright-core'
import t, { type Test } from 'tap'
import { byOperator } from '../endpoints/oauth/requests.ts'
import { seriousFaults } from '../support/accessibility.ts'
import { startChromium } from '../support/chromium.ts'
import { startProvider } from '../support/relying-party.ts'
import { register } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const provider = await startProvider(t)
const { app, issuer, deps } = provider

/** The app of somebody: it keeps what it is sent, and says so. */
const received: Record<string, string>[] = []
const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const form = request.method === 'POST' ? await text(request) : url.search
  if (url.pathname === '/callback') received.push(Object.fromEntries(new URLSearchParams(form)))
  response.setHeader('content-type', 'text/html')
  response.end(`<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>App</title>
    <h1>${url.pathname === '/callback' ? 'Back in the app' : 'App'}</h1>`)
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
t.teardown(() => server.close())
const appUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const { client } = await deps.clientAdministration.create(
  {
    name: 'Notes',
    grantTypes: ['authorization_code', 'refresh_token'],
    scope: ['openid', 'notes:read'],
    redirectUris: [`${appUrl}/callback`],
  },
  byOperator,
)

const authorizeUrl = (rest: Readonly<Record<string, string>> = {}) =>
  `${issuer}/authorize?${new URLSearchParams({
    client_id: client.id,
    response_type: 'code',
    redirect_uri: `${appUrl}/callback`,
    scope: 'openid notes:read',
    state: 'xyz',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    ...rest,
  })}`

const open = async (t: Test, options: BrowserContextOptions = {}) => {
  const { context, complaints, requests } = await startChromium(t, options)
  const page = await context.newPage()
  const signIn = async ({ email, password }: { email: string; password: string }) => {
    await page.fill('#username', email)
    await page.fill('#password', password)
    await page.click('#submit')
  }
  const isBack = () => page.getByRole('heading', { name: 'Back in the app' }).waitFor()
  /** Nothing was blocked, nothing failed, and nobody else was asked for anything. */
  const isClean = (t: Test) => {
    t.strictSame(complaints, [])
    const origins = new Set(requests.map((url) => new URL(url).origin))
    origins.delete(appUrl)
    // The empty icon is an address of its own.
    origins.delete('null')
    t.strictSame([...origins], [issuer])
  }
  return { page, signIn, isBack, isClean }
}

const last = () => received.at(-1)

t.test('without scripts: registration, consent, and back with a code', async (t) => {
  const { page, isBack, isClean } = await open(t, { javaScriptEnabled: false })
  await page.goto(authorizeUrl())
  await page.click('#register')
  await page.fill('#email', `${crypto.randomUUID()}@example.com`)
  await page.fill('#name', 'Jo Doe')
  await page.fill('#password', 'violet kettle on the roof')
  await page.click('#submit')
  t.equal(await page.locator('#scopes li').count(), 2)
  await page.click('#allow')
  await isBack()
  t.match(last(), { code: /^tac_/, state: 'xyz', iss: issuer })
  isClean(t)
})

t.test('sign-in by keyboard alone, refusal, and the way back', async (t) => {
  const person = await register(app)
  const { page, isBack } = await open(t)
  await page.goto(authorizeUrl())
  t.equal(await page.evaluate('document.activeElement.id'), 'username')
  await page.keyboard.type(person.email)
  await page.keyboard.press('Tab')
  await page.keyboard.type(person.password)
  await page.keyboard.press('Enter')
  await page.waitForSelector('#allow')
  t.strictSame(await seriousFaults(page), [])
  await page.focus('#deny')
  await page.keyboard.press('Enter')
  await isBack()
  t.match(last(), { error: 'access_denied', state: 'xyz', iss: issuer })

  const count = received.length
  const back = await page.goBack()
  t.equal(back?.status(), 410, 'the question is over')
  t.match(await page.textContent('#error'), 'Go back to the app and start again.')
  t.equal(received.length, count)
  await page.goto(`${issuer}/account`)
  t.match(await page.textContent('main'), 'You have given no app access.')
})

t.test('a wrong password is told, and the right one goes on', async (t) => {
  const person = await register(app)
  const { page, signIn, isBack } = await open(t)
  await page.goto(authorizeUrl())
  await signIn({ ...person, password: 'another kettle' })
  t.equal(await page.textContent('#error'), 'The name or the password is wrong.')
  t.equal(await page.inputValue('#username'), person.email)
  t.equal(await page.inputValue('#password'), '')
  await page.fill('#password', person.password)
  await page.click('#submit')
  await page.click('#allow')
  await isBack()
  t.match(last(), { code: /^tac_/ })
})

t.test('form_post: the answer is posted by itself', async (t) => {
  const person = await register(app)
  const { page, signIn, isBack, isClean } = await open(t)
  await page.goto(authorizeUrl({ response_mode: 'form_post' }))
  await signIn(person)
  await page.click('#allow')
  await isBack()
  t.match(last(), { code: /^tac_/, state: 'xyz', iss: issuer })
  t.equal(page.url(), `${appUrl}/callback`, 'nothing stands in the address')
  isClean(t)

  await t.test('without scripts by a button', async (t) => {
    const { page, signIn, isBack, isClean } = await open(t, { javaScriptEnabled: false })
    await page.goto(authorizeUrl({ response_mode: 'form_post' }))
    await signIn(person)
    await page.click('#submit')
    await isBack()
    t.match(last(), { code: /^tac_/ })
    isClean(t)
  })
})

t.test('two people in one browser: the chooser, and the sign-out of one', async (t) => {
  const [jo, kim] = [await register(app), await register(app)]
  const { page, signIn, isBack, isClean } = await open(t)
  for (const person of [jo, kim]) {
    await page.goto(`${issuer}/sign-in`)
    await signIn(person)
    await page.getByText(`You are signed in as ${person.email}.`).waitFor()
  }
  await page.goto(authorizeUrl())
  t.strictSame(await seriousFaults(page), [])
  await page.getByRole('button', { name: jo.email }).click()
  t.match(await page.textContent('#person'), jo.email)
  await page.click('#allow')
  await isBack()
  t.match(last(), { code: /^tac_/ })

  await page.goto(`${issuer}/account`)
  t.strictSame(await seriousFaults(page), [])
  await page.locator('section', { hasText: kim.email }).locator('.sign-out').click()
  await page.getByText(`You are signed in as ${jo.email}.`).waitFor()
  t.equal(await page.getByText(kim.email).count(), 0)
  await page.getByRole('button', { name: 'Take back: Notes' }).click()
  await page.getByText('You have given no app access.').waitFor()
  await page.click('.sign-out')
  await page.waitForSelector('#signed-out')
  await page.goto(`${issuer}/account`)
  t.equal(new URL(page.url()).pathname, '/sign-in')
  isClean(t)
})

t.test('a button that is pressed twice gives one answer', async (t) => {
  const person = await register(app)
  const { page, signIn } = await open(t)
  await page.goto(authorizeUrl())
  await signIn(person)
  await page.waitForSelector('#allow')
  const count = received.length
  await page.dblclick('#allow')
  await waitUntil('the answer', () => received.length > count)
  t.equal(received.length, count + 1)
})
