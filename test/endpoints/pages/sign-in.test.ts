import { createHash } from 'node:crypto'
import { test } from 'tap'
import { connect, register, startService } from '../../support/service.ts'
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

test('/sign-in against guessing', async (t) => {
  await t.test(
    'locks as the API does, says so alike of every name, and spares a known device',
    async (t) => {
      const { app, issuer, openBrowser } = await startPages(t)
      const { email, password } = await register(app)
      const known = openBrowser()
      const signIn = { username: email, password }
      await known.submit(await known.open(`${issuer}/sign-in`), signIn)
      for (const username of [email, 'nobody@example.com']) {
        const guesser = openBrowser()
        const form = await guesser.open(`${issuer}/sign-in`)
        const statuses: number[] = []
        for (let guess = 0; guess < 6; guess += 1) {
          const page = await guesser.submit(form, { username, password: `guess ${guess}` })
          statuses.push(page.status)
        }
        t.strictSame(statuses, [403, 403, 403, 403, 403, 429], username)
        const locked = await guesser.submit(form, { username, password })
        t.equal(locked.status, 429)
        t.equal(nameOf(locked), 'sign-in')
        t.equal(errorOf(locked), 'Too many attempts failed. Try again later.')
        t.match(locked.headers.get('retry-after'), /^\d+$/)
      }
      const again = await known.open(`${issuer}/sign-in`)
      t.equal(nameOf(await known.submit(again, signIn)), 'account')
    },
  )

  await t.test('counts requests by address, and answers too many by a page', async (t) => {
    const { issuer, openBrowser } = await startPages(t, { RATE_LIMIT_SIGN_IN: '2/60' })
    const browser = openBrowser()
    const form = await browser.open(`${issuer}/sign-in`)
    const send = () => browser.submit(form, { username: 'jo@example.com', password: 'x' })
    t.strictSame([(await send()).status, (await send()).status], [403, 403])
    const page = await send()
    t.equal(page.status, 429)
    t.equal(nameOf(page), 'error')
    t.equal(errorOf(page), 'Too many requests. Try again later.')
    t.match(page.headers.get('retry-after'), /^\d+$/)
  })
})

test('the cookies of a browser', async (t) => {
  const service = await startService(t, { ISSUER: 'https://id.example' })
  const { app, config } = service
  const { email, password } = await register(app)
  const form = await app.inject('/sign-in')
  const [browser] = form.cookies
  const answer = await app.inject({
    method: 'POST',
    url: '/sign-in',
    headers: {
      origin: 'https://id.example',
      'content-type': 'application/x-www-form-urlencoded',
      cookie: `${browser?.name}=${browser?.value}`,
    },
    payload: new URLSearchParams({
      csrf_token: /name="csrf_token" value="([^"]*)"/.exec(form.body)?.[1] ?? '',
      username: email,
      password,
    }).toString(),
  })
  t.equal(answer.statusCode, 303)
  t.equal(answer.headers.location, '/account')
  const kept = answer.cookies.map(({ value, ...rest }) => ({ ...rest, length: value.length }))
  const own = { path: '/', secure: true, httpOnly: true }
  t.match(
    kept.find(({ name }) => name === '__Host-tessera_session'),
    { ...own, sameSite: 'Lax', maxAge: config.refreshTokenTtlSeconds, length: 43 },
  )
  t.match(
    kept.find(({ name }) => name === '__Host-tessera_device'),
    { ...own, sameSite: 'Strict' },
  )
  t.ok(kept.every((cookie) => !('domain' in cookie)))
  const db = await connect(t, service)
  const secret = answer.cookies.find(({ name }) => name === '__Host-tessera_session')?.value ?? ''
  const digest = createHash('sha256').update(secret).digest()
  const row = db.selectFrom('sessions').select('id').where('cookie_digest', '=', digest)
  t.ok(await row.executeTakeFirst(), 'nothing but the digest of the secret is kept')
})
