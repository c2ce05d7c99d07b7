import { test } from 'tap'
import { register } from '../../support/service.ts'
import { callback, errorOf, nameOf, startPages } from './visitor.ts'

test('/sign-in', async (t) => {
  const pages = await startPages(t)
  const { app, issuer, deps, createApp, openBrowser, authorizeUrl } = pages
  const client = await createApp()

  await t.test('signs in, and leads to the own account', async (t) => {
    const { email, password } = await register(app)
    const browser = openBrowser()
    const form = await browser.open(`${issuer}/sign-in`)
    t.equal(form.status, 200)
    t.equal(nameOf(form), 'sign-in')
    const page = await browser.submit(form, { username: email, password })
    t.equal(page.url.href, `${issuer}/account`)
    t.match(page.text, `You are signed in as ${email}.`)
    t.match(page.text, 'this browser')
  })

  await t.test('signs in for a client, which gets its answer after the consent', async (t) => {
    const { email, password } = await register(app)
    const browser = openBrowser()
    const form = await browser.open(authorizeUrl(client.id, { login_hint: email }))
    t.match(form.url.pathname, '/sign-in')
    t.match(form.text, 'to continue to Notes')
    t.match(form.html, `value="${email}"`)
    const consent = await browser.submit(form, { password })
    t.equal(nameOf(consent), 'consent')
    const answer = await browser.submit(consent, {}, 'allow')
    t.equal(`${answer.url.origin}${answer.url.pathname}`, callback)
    t.match(answer.url.searchParams.get('code'), /^tac_/)
    t.equal(answer.url.searchParams.get('state'), 'xyz')
    const [kept] = await deps.accounts.ownConsents.list(
      (await deps.accounts.signIn({ email }, password, {}))?.user.id ?? '',
    )
    t.match(kept, { clientId: client.id, scope: ['openid', 'notes:read'] })
    const again = await browser.open(authorizeUrl(client.id))
    t.match(again.url.searchParams.get('code'), /^tac_/, 'asked once')
  })

  await t.test('says the same of a wrong password and of an unknown name', async (t) => {
    const { email } = await register(app)
    const browser = openBrowser()
    const form = await browser.open(`${issuer}/sign-in`)
    for (const username of [email, 'nobody@example.com', 'nobody']) {
      const page = await browser.submit(form, { username, password: 'wrong password' })
      t.equal(page.status, 403)
      t.equal(errorOf(page), 'The name or the password is wrong.')
      t.match(page.html, `value="${username}"`, 'what was typed stays')
      t.notMatch(page.html, 'wrong password')
    }
  })
})
