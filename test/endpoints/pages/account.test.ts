import { test } from 'tap'
import { register } from '../../support/service.ts'
import { byOperator } from '../oauth/requests.ts'
import { nameOf, sendForm, startPages } from './visitor.ts'

test('/account', async (t) => {
  const pages = await startPages(t)
  const { app, issuer, deps, createApp, openBrowser, authorizeUrl } = pages
  const client = await createApp()

  const enter = async (person?: { email: string; password: string }) => {
    const { email: username, password } = person ?? (await register(app))
    const browser = openBrowser()
    const page = await browser.submit(await browser.open(`${issuer}/sign-in`), {
      username,
      password,
    })
    return { browser, page, email: username, password }
  }

  await t.test('sends who is not signed in to the sign-in', async (t) => {
    const page = await openBrowser().open(`${issuer}/account`)
    t.equal(page.url.pathname, '/sign-in')
  })

  await t.test('signs out: the session ends everywhere, the cookie goes', async (t) => {
    const { browser, page } = await enter()
    const secret = browser.cookiesOf(issuer).get('tessera_session') ?? ''
    const done = await browser.submit(page, {}, 'Sign out')
    t.equal(done.url.pathname, '/signed-out')
    t.equal(nameOf(done), 'signed-out')
    t.notOk(browser.cookiesOf(issuer).get('tessera_session'))
    browser.cookiesOf(issuer).set('tessera_session', secret)
    t.equal(
      nameOf(await browser.open(`${issuer}/account`)),
      'sign-in',
      'the secret is worth nothing',
    )
    t.equal(
      nameOf(await sendForm(browser, page, {}, { url: new URL(`${issuer}/account/sign-out`) })),
      'signed-out',
      'twice does no harm',
    )
  })

  await t.test('signs out one of several, and the others stay', async (t) => {
    const { browser } = await enter()
    const other = await register(app)
    const form = await browser.open(`${issuer}/sign-in`)
    const both = await browser.submit(form, { username: other.email, password: other.password })
    t.equal(both.forms.filter(({ action }) => action === '/account/sign-out').length, 2)
    const left = await browser.submit(both, {}, 'Sign out')
    t.equal(nameOf(left), 'account')
    t.notMatch(left.text, other.email, 'the last one stood first')
  })

  await t.test('ends another session of the same person', async (t) => {
    const first = await enter()
    const second = await enter(first)
    const [session] = second.page.forms
      .flatMap(({ buttons }) => buttons)
      .filter(({ name }) => name === 'ended')
    t.ok(session)
    await second.browser.submit(second.page, {}, 'End')
    await second.browser.submit(await second.browser.open(`${issuer}/account`), {}, 'End')
    t.equal(nameOf(await first.browser.open(`${issuer}/account`)), 'sign-in')
    t.equal(nameOf(await second.browser.open(`${issuer}/account`)), 'account')
  })

  await t.test('ends no session of somebody else', async (t) => {
    const victim = await enter()
    const { browser, page } = await enter()
    const victims = victim.page.forms.flatMap(({ buttons }) => buttons)
    const session = victims.find(({ name }) => name === 'session')?.value ?? ''
    const own = page.forms.flatMap(({ buttons }) => buttons)
    const mine = own.find(({ name }) => name === 'session')?.value ?? ''
    const url = new URL(`${issuer}/account/end-session`)
    await sendForm(browser, page, { session: mine, ended: session }, { url })
    await sendForm(browser, page, { session }, { url: new URL(`${issuer}/account/sign-out`) })
    t.equal(nameOf(await victim.browser.open(`${issuer}/account`)), 'account')
  })

  await t.test('takes a consent back', async (t) => {
    const { browser } = await enter()
    const consent = await browser.open(authorizeUrl(client.id))
    await browser.submit(consent, {}, 'allow')
    const page = await browser.open(`${issuer}/account`)
    t.match(page.text, /Notes , allowed on /)
    const left = await browser.submit(page, {}, 'Take back')
    t.match(left.text, 'You have given no app access.')
    t.equal(nameOf(await browser.open(authorizeUrl(client.id))), 'consent', 'asked anew')
  })

  await t.test('who is disabled, or signs out everywhere, is signed out here too', async (t) => {
    const person = await register(app)
    const { browser } = await enter(person)
    await deps.accounts.ownSessions.endAll(person.user.id, {})
    t.equal(nameOf(await browser.open(`${issuer}/account`)), 'sign-in')
    const other = await register(app)
    const { browser: second } = await enter(other)
    await deps.userAdministration.disableUser(other.user.id, byOperator)
    t.equal(nameOf(await second.open(`${issuer}/account`)), 'sign-in')
  })
})
