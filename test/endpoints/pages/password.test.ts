import { test } from 'tap'
import { register } from '../../support/service.ts'
import { byOperator } from '../oauth/requests.ts'
import { callback, errorOf, nameOf, startPages } from './visitor.ts'

const next = 'a yellow boat on dry land'

test('a password that must be changed', async (t) => {
  const pages = await startPages(t)
  const { app, issuer, deps, createApp, openBrowser, authorizeUrl } = pages
  const client = await createApp()
  const forced = async () => {
    const person = await register(app)
    await deps.userAdministration.forcePasswordChange(person.user.id, byOperator)
    return person
  }

  await t.test('is changed before the client gets anything', async (t) => {
    const { email, password } = await forced()
    const browser = openBrowser()
    const signIn = await browser.open(authorizeUrl(client.id))
    const change = await browser.submit(signIn, { username: email, password })
    t.equal(nameOf(change), 'password')
    const around = await browser.open(authorizeUrl(client.id))
    t.equal(nameOf(around), 'sign-in', 'the session is good for nothing else')
    t.equal(nameOf(await browser.open(`${issuer}/account`)), 'password')
    const consent = await browser.submit(change, { current_password: password, new_password: next })
    t.equal(nameOf(consent), 'consent')
    const answer = await browser.submit(consent, {}, 'allow')
    t.equal(`${answer.url.origin}${answer.url.pathname}`, callback)
    t.match(answer.url.searchParams.get('code'), /^tac_/)
  })

  const refused: Record<string, [current: string | undefined, next: string, number, string]> = {
    'a wrong current password': ['wrong', next, 403, 'The current password is wrong.'],
    'the same password again': [
      undefined,
      '',
      400,
      'The new password must differ from the current one.',
    ],
    'a short password': [undefined, 'short', 400, 'A password has 8 to 256 characters.'],
    'a common password': [
      undefined,
      'password123',
      422,
      'This password is among the first that others would try. Choose a longer or less usual one, and not your name.',
    ],
  }
  for (const [name, [current, wanted, status, text]] of Object.entries(refused)) {
    await t.test(`refuses ${name}`, async (t) => {
      const { email, password } = await forced()
      const browser = openBrowser()
      const signIn = await browser.open(`${issuer}/sign-in`)
      const change = await browser.submit(signIn, { username: email, password })
      const page = await browser.submit(change, {
        current_password: current ?? password,
        new_password: wanted === '' ? password : wanted,
      })
      t.equal(page.status, status)
      t.equal(errorOf(page), text)
      t.equal(nameOf(await browser.open(`${issuer}/account`)), 'password', 'nothing has changed')
    })
  }

  await t.test('sending the form twice does no harm', async (t) => {
    const { email, password } = await forced()
    const browser = openBrowser()
    const signIn = await browser.open(`${issuer}/sign-in`)
    const change = await browser.submit(signIn, { username: email, password })
    const typed = { current_password: password, new_password: next }
    t.equal(nameOf(await browser.submit(change, typed)), 'account')
    t.equal(nameOf(await browser.submit(change, typed)), 'account')
  })
})
