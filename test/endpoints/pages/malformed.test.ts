import { test } from 'tap'
import { createTestDatabase } from '../../support/database.ts'
import { startProxy } from '../../support/proxy.ts'
import { csrfTokenOf, errorOf, nameOf, startPages } from './visitor.ts'

const forms = ['/sign-in', '/register', '/password', '/accounts', '/consent', '/account/sign-out']
const formTooOld =
  'The form is too old, or cookies are blocked. Allow cookies, go back, reload the page and try again.'
const pagesWithQuery = ['/sign-in', '/register', '/password', '/accounts', '/consent']

test('whatever is sent to a page is answered by a page', async (t) => {
  const { issuer, openBrowser } = await startPages(t)
  const browser = openBrowser()
  const form = await browser.open(`${issuer}/sign-in`)
  const token = csrfTokenOf(form)
  const cookie = `tessera_browser=${browser.cookiesOf(issuer).get('tessera_browser')}`

  const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${issuer}${path}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded', cookie, ...headers },
      body,
    })
    return { answer, html: await answer.text() }
  }
  const isErrorPage = (
    { answer, html }: { answer: Response; html: string },
    status: number,
    text: string,
    about: string,
  ) => {
    t.equal(answer.status, status, about)
    t.equal(nameOf({ html }), 'error', about)
    t.equal(errorOf({ html }), text, about)
    t.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8')
    t.equal(answer.headers.get('cache-control'), 'no-store')
    t.notOk(answer.headers.has('set-cookie'))
  }

  await t.test('bodies', async () => {
    const good = `csrf_token=${token}`
    for (const path of forms) {
      const unreadable: [string, string, number, string, Record<string, string>?][] = [
        ['NUL', `${good}&username=%00`, 400, 'The form cannot be read.'],
        ['no UTF-8', `${good}&username=%ff`, 400, 'The form cannot be read.'],
        ['a broken escape', `${good}&username=%e`, 400, 'The form cannot be read.'],
        ['a repeated field', `${good}&${good}`, 400, 'The request cannot be answered.'],
        [
          'JSON',
          '{}',
          415,
          'The request cannot be answered.',
          { 'content-type': 'application/json' },
        ],
        [
          'too much',
          `${good}&username=${'a'.repeat(2_000_000)}`,
          413,
          'The request cannot be answered.',
        ],
        ['nothing', '', 403, formTooOld],
      ]
      for (const [name, body, status, text, headers] of unreadable) {
        isErrorPage(await post(path, body, headers), status, text, `${path}: ${name}`)
      }
    }
  })

  await t.test('addresses', async () => {
    const gone =
      'This request has expired or was answered already. Go back to the app and start again.'
    for (const path of pagesWithQuery) {
      for (const id of ['nonsense', '%00', '%F0%9F%98%80', crypto.randomUUID(), 'a'.repeat(900)]) {
        const answer = await fetch(`${issuer}${path}?request=${id}`, { headers: { cookie } })
        isErrorPage({ answer, html: await answer.text() }, 410, gone, `${path} ${id.slice(0, 20)}`)
      }
      const twice = await fetch(`${issuer}${path}?request=a&request=b`, { headers: { cookie } })
      const other = 'The request cannot be answered.'
      isErrorPage({ answer: twice, html: await twice.text() }, 400, other, `${path} twice`)
    }
  })

  await t.test('methods', async (t) => {
    const answer = await fetch(`${issuer}/sign-in`, { method: 'DELETE' })
    isErrorPage(
      { answer, html: await answer.text() },
      405,
      'The page cannot be used like this.',
      'DELETE',
    )
    t.equal(answer.headers.get('allow'), 'GET, HEAD, POST')
  })

  await t.test('cookies that are none of ours are as none', async (t) => {
    for (const value of ['x', 'a.b.c', `${'A'.repeat(43)}.${'B'.repeat(43)}`, '.'.repeat(2000)]) {
      const answer = await fetch(`${issuer}/account`, {
        redirect: 'manual',
        headers: { cookie: `tessera_session=${value}; tessera_browser=${value}` },
      })
      t.equal(answer.status, 303)
      t.equal(answer.headers.get('location'), '/sign-in')
    }
  })
})

test('a database that does not answer is a page too, with Retry-After', async (t) => {
  const proxy = await startProxy(t, (await createTestDatabase(t)).url)
  const { issuer, openBrowser } = await startPages(t, { DATABASE_URL: proxy.url })
  const browser = openBrowser()
  const form = await browser.open(`${issuer}/sign-in`)
  browser.cookiesOf(issuer).set('tessera_session', 'A'.repeat(43))
  proxy.cut()
  const signIn = { username: 'jo@example.com', password: 'violet kettle' }
  for (const page of [
    await browser.open(`${issuer}/account`),
    await browser.submit(form, signIn),
  ]) {
    t.equal(page.status, 503)
    t.equal(errorOf(page), 'The service cannot answer now. Try again in a moment.')
    t.match(page.headers.get('retry-after'), /^\d+$/)
  }
})
