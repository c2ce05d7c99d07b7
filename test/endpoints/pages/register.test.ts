import { test } from 'tap'
import { register } from '../../support/service.ts'
import { callback, errorOf, nameOf, startPages } from './visitor.ts'

const password = 'violet kettle on the roof'

test('/register', async (t) => {
  const pages = await startPages(t)
  const { app, issuer, createApp, openBrowser, authorizeUrl } = pages
  const client = await createApp()
  const newEmail = () => `${crypto.randomUUID()}@example.com`

  await t.test('makes an account, signs in and goes on to the client', async (t) => {
    const browser = openBrowser()
    const signIn = await browser.open(authorizeUrl(client.id))
    const [, href = ''] = /id="register" href="([^"]*)"/.exec(signIn.html) ?? []
    const form = await browser.open(new URL(href.replaceAll('&amp;', '&'), issuer))
    t.equal(nameOf(form), 'register')
    t.match(form.text, 'to continue to Notes')
    const consent = await browser.submit(form, { email: newEmail(), name: 'Jo', password })
    t.equal(nameOf(consent), 'consent')
    const answer = await browser.submit(consent, {}, 'allow')
    t.equal(`${answer.url.origin}${answer.url.pathname}`, callback)
    t.match(answer.url.searchParams.get('code'), /^tac_/)
  })

  await t.test('without a client it leads to the own account', async (t) => {
    const browser = openBrowser()
    const form = await browser.open(`${issuer}/register`)
    const email = newEmail()
    const page = await browser.submit(form, { email, password })
    t.equal(page.url.pathname, '/account')
    t.match(page.text, email)
  })

  const { email: taken } = await register(app)
  const refused: Record<string, [form: Record<string, string>, status: number, text: string]> = {
    'an address that is taken': [
      { email: taken, password },
      409,
      'There is already an account with this email address.',
    ],
    'what is no address': [{ email: 'jo', password }, 400, 'This is not an email address.'],
    'a short password': [
      { email: 'a@example.com', password: 'short' },
      400,
      'A password has 8 to 256 characters.',
    ],
    'a common password': [
      { email: 'a@example.com', password: 'password123' },
      422,
      'This password is among the first that others would try. Choose a longer or less usual one, and not your name.',
    ],
    'a name with control characters': [
      { email: 'a@example.com', password, name: 'a\u0007b' },
      400,
      'A name has at most 200 characters, and no control characters.',
    ],
    nothing: [{ email: '', password: '' }, 400, 'Fill in every field that is not optional.'],
  }
  for (const [name, [typed, status, text]] of Object.entries(refused)) {
    await t.test(`refuses ${name}, and keeps what was typed but the password`, async (t) => {
      const browser = openBrowser()
      const page = await browser.submit(await browser.open(`${issuer}/register`), typed)
      t.equal(page.status, status)
      t.equal(nameOf(page), 'register')
      t.equal(errorOf(page), text)
      if (typed.email !== '') t.match(page.html, `value="${typed.email}"`)
      if (typed.password !== '') t.notMatch(page.html, `"${typed.password}"`)
      t.notOk(browser.cookiesOf(issuer).has('tessera_session'))
    })
  }
})

test('/register where registration is closed', async (t) => {
  const { issuer, openBrowser } = await startPages(t, { REGISTRATION: 'closed' })
  const browser = openBrowser()
  const page = await browser.open(`${issuer}/register`)
  t.equal(page.status, 403)
  t.equal(errorOf(page), 'New accounts are made by the operator only.')
  const signIn = await browser.open(`${issuer}/sign-in`)
  t.notMatch(signIn.html, '/register', 'nobody is led there')
  const answer = await browser.ask(new URL(`${issuer}/register`), {
    method: 'POST',
    body: new URLSearchParams({
      csrf_token: /name="csrf_token" value="([^"]*)"/.exec(signIn.html)?.[1] ?? '',
      email: 'jo@example.com',
      password,
    }),
  })
  t.equal(answer.status, 403)
})
