import { test } from 'tap'
import type { ClientRegistration } from '../../../src/clients/client-registration.ts'
import { register } from '../../support/service.ts'
import type { WebPage } from '../../support/web-agent.ts'
import { callback, errorOf, nameOf, sendForm, startPages } from './visitor.ts'

test('/consent', async (t) => {
  const pages = await startPages(t)
  const { app, issuer, deps, createApp, openBrowser, authorizeUrl, moveTime } = pages

  /** A browser before the question. */
  const ask = async (
    registration: Partial<ClientRegistration> = {},
    rest: Readonly<Record<string, string>> = {},
  ) => {
    const client = await createApp(registration)
    const person = await register(app)
    const browser = openBrowser()
    const form = await browser.open(authorizeUrl(client.id, rest))
    const { email: username, password } = person
    const page = await browser.submit(form, { username, password })
    return { client, person, browser, page }
  }
  const consents = (userId: string) => deps.accounts.ownConsents.list(userId)
  const idOf = (page: WebPage) => page.url.searchParams.get('request') ?? ''

  await t.test('says who asks, for whom, for what and for how long', async (t) => {
    const { person, page } = await ask({
      settings: {
        clientUri: 'https://notes.example/',
        policyUri: 'https://notes.example/privacy',
        tosUri: 'https://notes.example/terms',
        logoUri: 'https://cdn.example/logo.png',
      },
    })
    t.equal(nameOf(page), 'consent')
    t.match(page.html, '<h1>Notes asks for access</h1>')
    t.match(page.text, `Signed in as ${person.email}.`)
    t.match(page.text, 'know who you are, by an identifier')
    t.match(page.text, 'use the permission “notes:read”')
    t.match(page.text, 'The access lasts while you are signed in, at most 30 days.')
    t.match(page.text, 'After that you go on to notes.example.')
    for (const link of ['', 'privacy', 'terms'])
      t.match(page.html, `href="https://notes.example/${link}"`)
    t.match(page.html, 'src="https://cdn.example/logo.png"')
    const policy = page.headers.get('content-security-policy') ?? ''
    t.match(policy, "img-src 'self' data: https://cdn.example;")
    t.match(policy, "form-action 'self' https://notes.example;")
    t.notMatch(page.html, 'id="warning"')
  })

  await t.test('for how long depends on what the client may', async (t) => {
    const offline = await ask({}, { scope: 'openid offline_access', prompt: 'consent' })
    t.match(offline.page.text, 'up to 30 days, also while you are not here')
    const short = await ask({ grantTypes: ['authorization_code'] })
    t.match(short.page.text, 'The access lasts 15 minutes.')
  })

  await t.test('warns of a public app on the device (RFC 8252 §8.6)', async (t) => {
    const app = { authenticationMethod: 'none', redirectUris: ['http://127.0.0.1/done'] } as const
    const { page } = await ask(app, { redirect_uri: 'http://127.0.0.1:5000/done' })
    t.match(page.html, 'id="warning"')
    t.match(page.text, 'The answer goes to an app on this device.')
    const policy = page.headers.get('content-security-policy') ?? ''
    t.match(policy, "form-action 'self' http://127.0.0.1:5000;")
  })

  await t.test('a refusal is answered once, and nothing is kept', async (t) => {
    const { person, browser, page } = await ask()
    const answer = await browser.submit(page, {}, 'deny')
    t.equal(`${answer.url.origin}${answer.url.pathname}`, callback)
    t.equal(answer.url.searchParams.get('error'), 'access_denied')
    t.equal(answer.url.searchParams.get('state'), 'xyz')
    t.equal(answer.url.searchParams.get('iss'), issuer)
    t.strictSame(await consents(person.user.id), [])
    for (const button of ['deny', 'allow']) {
      const again = await browser.submit(page, {}, button)
      t.equal(again.status, 410)
      t.equal(
        errorOf(again),
        'This request has expired or was answered already. Go back to the app and start again.',
      )
    }
    t.strictSame(await consents(person.user.id), [])
  })

  await t.test('a double submit gives one code', async (t) => {
    const { browser, page } = await ask()
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => browser.submit(page, {}, 'allow')),
    )
    const codes = answers.filter(({ url }) => url.searchParams.has('code'))
    t.equal(codes.length, 1)
    t.ok(answers.every(({ status }) => [0, 400, 410].includes(status)))
  })

  await t.test('anything but a plain yes is asked again', async (t) => {
    const { person, browser, page } = await ask()
    for (const [decision, session] of [
      ['maybe', ''],
      ['allow', crypto.randomUUID()],
    ] as const) {
      const typed = { decision, session }
      t.equal(nameOf(await sendForm(browser, page, typed)), 'consent')
    }
    t.strictSame(await consents(person.user.id), [])
  })

  await t.test('another browser knows nothing of the request', async (t) => {
    const { page } = await ask()
    const stranger = openBrowser()
    await stranger.open(`${issuer}/sign-in`)
    for (const path of ['consent', 'sign-in', 'accounts', 'register', 'password']) {
      const seen = await stranger.open(`${issuer}/${path}?request=${idOf(page)}`)
      t.equal(seen.status, 410, path)
      t.equal(nameOf(seen), 'error')
    }
  })

  await t.test('an expired request says what to do', async (t) => {
    const { browser, page } = await ask()
    moveTime(3601)
    const answer = await browser.submit(page, {}, 'allow')
    t.equal(answer.status, 410)
    t.match(errorOf(answer), 'Go back to the app and start again.')
    moveTime(-3601)
  })
})
