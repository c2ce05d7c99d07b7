import { test } from 'tap'
import { startPages } from './visitor.ts'

test('pages', async (t) => {
  const { issuer, createApp, openBrowser, authorizeUrl } = await startPages(t)
  const client = await createApp({
    redirectUris: ['https://notes.example/callback', 'com.example.notes:/done', 'http://[::1]/'],
  })

  await t.test('have one policy: no script, nothing foreign, no frames', async (t) => {
    const { headers } = await openBrowser().open(`${issuer}/sign-in`)
    t.equal(
      headers.get('content-security-policy'),
      "default-src 'none';base-uri 'none';connect-src 'none';form-action 'self';frame-ancestors 'none';img-src 'self' data:;script-src 'none';style-src 'self'",
    )
    t.equal(headers.get('x-frame-options'), 'DENY')
    t.equal(headers.get('cache-control'), 'no-store')
    t.equal(headers.get('referrer-policy'), 'same-origin')
    t.equal(headers.get('content-type'), 'text/html; charset=utf-8')
    t.equal(headers.get('vary'), 'Accept-Language, Cookie, Origin')
  })

  await t.test('name the place where the answer to their form leads', async (t) => {
    const targets = {
      'https://notes.example/callback': "form-action 'self' https://notes.example;",
      'com.example.notes:/done': "form-action 'self' com.example.notes:;",
      'http://[::1]:4444/': "form-action 'self' http:;",
    }
    for (const [uri, policy] of Object.entries(targets)) {
      const page = await openBrowser().open(authorizeUrl(client.id, { redirect_uri: uri }))
      t.match(page.headers.get('content-security-policy'), policy)
    }
  })

  await t.test('speak the language that is asked for', async (t) => {
    const languageOf = async (accept: string, uiLocales?: string) => {
      const browser = openBrowser()
      const locales: Record<string, string> = uiLocales ? { ui_locales: uiLocales } : {}
      const { url } = await browser.open(authorizeUrl(client.id, locales))
      const cookie = `tessera_browser=${browser.cookiesOf(issuer).get('tessera_browser')}`
      const answer = await fetch(url, { headers: { 'accept-language': accept, cookie } })
      const html = await answer.text()
      t.equal(/<html lang="([a-z]+)"/.exec(html)?.[1], answer.headers.get('content-language'))
      return answer.headers.get('content-language')
    }
    t.equal(await languageOf('de'), 'de')
    t.equal(await languageOf('de-AT,en;q=0.5'), 'de')
    t.equal(await languageOf('DE'), 'de')
    t.equal(await languageOf('fr,de;q=0.5,en;q=0.4'), 'de')
    t.equal(await languageOf('fr,de;q=0.3,en;q=0.9'), 'en')
    t.equal(await languageOf('fr'), 'en')
    t.equal(await languageOf('*'), 'en')
    t.equal(await languageOf(';;;,=,q'), 'en')
    t.equal(await languageOf('en', 'fr de-CH'), 'de', 'the client comes first')
    t.equal(await languageOf('de', 'fr'), 'de')
  })

  await t.test('have stylesheets of their own, which browsers may keep', async (t) => {
    const { html } = await openBrowser().open(`${issuer}/sign-in`)
    const hrefs = [...html.matchAll(/rel="stylesheet" href="([^"]*)"/g)].map(([, href]) => href)
    t.equal(hrefs.length, 2)
    for (const href of hrefs) {
      const answer = await fetch(`${issuer}${href}`)
      t.equal(answer.status, 200)
      t.equal(answer.headers.get('content-type'), 'text/css; charset=utf-8')
      t.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable')
      const css = await answer.text()
      t.notMatch(css, /url\(|@import/)
      const old = await fetch(`${issuer}${href?.replace(/v=.*/, 'v=old')}`)
      t.equal(old.headers.get('cache-control'), 'public, max-age=3600')
      t.equal(await old.text(), css)
    }
  })

  await t.test('stand below the path of the issuer', async (t) => {
    const { app } = await startPages(t, { ISSUER: 'https://id.example/auth' })
    const answer = await app.inject('/auth/sign-in')
    t.equal(answer.statusCode, 200)
    t.match(answer.body, 'action="/auth/sign-in"')
    t.match(answer.body, 'href="/auth/assets/tessera.css?v=')
    t.match(answer.body, 'href="/auth/register"')
    const [cookie] = answer.cookies
    t.match(cookie, {
      name: '__Host-tessera_browser',
      path: '/',
      secure: true,
      httpOnly: true,
      sameSite: 'Lax',
    })
    t.equal((await app.inject('/sign-in')).statusCode, 404)
  })
})
