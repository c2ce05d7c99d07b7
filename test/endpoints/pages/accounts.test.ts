import { test } from 'tap'
import { connect, register } from '../../support/service.ts'
import { nameOf, sendForm, startPages } from './visitor.ts'

test('several people in one browser', async (t) => {
  const pages = await startPages(t)
  const { app, issuer, deps, createApp, openBrowser, authorizeUrl } = pages
  const client = await createApp({ settings: { consent: 'skip' } })

  /** A browser in which two people are signed in, the second one last. */
  const openShared = async () => {
    const browser = openBrowser()
    const people = [await register(app), await register(app)]
    for (const { email: username, password } of people) {
      await browser.submit(await browser.open(`${issuer}/sign-in`), { username, password })
    }
    const [first, second] = people
    if (first === undefined || second === undefined) throw new Error('there are two')
    return { browser, first, second }
  }
  const db = await connect(t, pages)
  /** Whom the last code was given for. */
  const lastSubject = async () => {
    const codes = db.selectFrom('authorization_codes').select('user_id')
    return (await codes.orderBy('created_at', 'desc').executeTakeFirst())?.user_id
  }

  await t.test('the client is answered for who was chosen', async (t) => {
    const { browser, first, second } = await openShared()
    const chooser = await browser.open(authorizeUrl(client.id))
    t.equal(nameOf(chooser), 'accounts')
    const places = [second.email, first.email].map((email) => chooser.text.indexOf(email))
    t.ok(places[0] !== -1 && (places[0] ?? 0) < (places[1] ?? 0), 'the last sign-in comes first')
    const self = { userId: first.user.id, sessionId: undefined }
    const sessions = await deps.accounts.ownSessions.list(self)
    const [session] = sessions.filter(({ userAgent }) => userAgent !== 'lightMyRequest')
    const answer = await sendForm(browser, chooser, { session: session?.id ?? '' })
    t.match(answer.url.searchParams.get('code'), /^tac_/)
    t.equal(await lastSubject(), first.user.id)
  })

  await t.test('a session of somebody else is no choice', async (t) => {
    const { browser } = await openShared()
    const stranger = await openShared()
    const chooser = await browser.open(authorizeUrl(client.id))
    const others = await deps.accounts.ownSessions.list({
      userId: stranger.first.user.id,
      sessionId: undefined,
    })
    for (const session of [others[0]?.id ?? '', 'nonsense', '']) {
      t.equal(nameOf(await sendForm(browser, chooser, { session })), 'accounts')
    }
  })

  await t.test('another account may be used', async (t) => {
    const { browser } = await openShared()
    const third = await register(app)
    const chooser = await browser.open(authorizeUrl(client.id))
    const [, href = ''] = /id="other" href="([^"]*)"/.exec(chooser.html) ?? []
    const form = await browser.open(new URL(href, issuer))
    const answer = await browser.submit(form, { username: third.email, password: third.password })
    t.match(answer.url.searchParams.get('code'), /^tac_/, 'who signs in for it is chosen')
    t.equal(await lastSubject(), third.user.id)
  })

  await t.test('who signs in again keeps one session, with a new secret', async (t) => {
    const browser = openBrowser()
    const { email: username, password, user } = await register(app)
    const secrets: (string | undefined)[] = []
    for (const _ of [1, 2]) {
      await browser.submit(await browser.open(`${issuer}/sign-in`), { username, password })
      secrets.push(browser.cookiesOf(issuer).get('tessera_session'))
    }
    const sessions = await deps.accounts.ownSessions.list({
      userId: user.id,
      sessionId: undefined,
    })
    t.equal(sessions.length, 2, 'that of the registration, and that of the browser')
    t.not(secrets[0], secrets[1])
    browser.cookiesOf(issuer).set('tessera_session', secrets[0] ?? '')
    t.equal(nameOf(await browser.open(`${issuer}/account`)), 'sign-in')
  })
})
