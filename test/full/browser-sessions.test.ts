import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { openPage, type Page } from '../support/browser.ts'
import { createTestDatabase } from '../support/database.ts'
import { startServer } from '../support/server-process.ts'
import { testEnvironment } from '../support/service.ts'

// To a browser http://localhost:1 and :2 are two origins of one site, which is where cookies go;
// http://127.0.0.1 is another site.

/** A web page that does nothing, as the front end of somebody. @returns its port */
const servePage = async (t: Test): Promise<number> => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>page</title>')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

type Answer = { status: number; json: Record<string, unknown> | null }

/** What a script of the page is answered; the name of the error where the browser forbids it. */
const ask = (page: Page, url: string, options: object = {}): Promise<Answer | string> =>
  page.evaluate(`fetch(${JSON.stringify(url)}, ${JSON.stringify({
    credentials: 'include',
    ...options,
  })}).then(
    async (answer) => ({ status: answer.status, json: await answer.json().catch(() => null) }),
    (error) => error.name,
  )`)

const post = (body: object, headers: object = {}) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
})

t.test(
  'an app of another origin signs in with cookies, and no foreign page uses them',
  async (t) => {
    const [app, foreign, otherSite] = [await servePage(t), await servePage(t), await servePage(t)]
    const { ISSUER: _, ...settings } = testEnvironment
    const { port } = await startServer(t, {
      ...settings,
      DATABASE_URL: (await createTestDatabase(t)).url,
      CORS_ORIGINS: `http://localhost:${app}`,
    })
    const api = `http://localhost:${port}`
    const page = await openPage(t)
    const account = { email: 'jo@example.com', password: 'violet kettle on the roof' }
    const isSignedIn = async () => {
      await page.open(`http://localhost:${app}/`)
      const me = await ask(page, `${api}/auth/me`)
      return typeof me === 'object' && me.status === 200 && me.json?.email === account.email
    }

    await page.open(`http://localhost:${app}/`)
    const registered = await ask(page, `${api}/auth/register`, post({ ...account, cookies: true }))
    if (typeof registered === 'string') throw new Error(`the browser forbids it: ${registered}`)
    t.equal(registered.status, 201)
    t.notOk('refresh_token' in (registered.json ?? {}))
    t.ok(await isSignedIn())

    await t.test('its scripts see the CSRF token, and neither of the tokens', async (t) => {
      const cookies = await page.evaluate<string>('document.cookie')
      t.match(cookies, /^tessera_csrf=[\w-]+$/)
    })

    await t.test('after a reload it goes on, in two tabs at once', async (t) => {
      await page.open(`http://localhost:${app}/`)
      const csrf = await ask(page, `${api}/auth/csrf`)
      const token = typeof csrf === 'object' && csrf.json?.csrf_token
      const headers = { 'x-csrf-token': token }
      const answers = await Promise.all(
        [1, 2].map(() => ask(page, `${api}/auth/refresh`, { method: 'POST', headers })),
      )
      t.match(answers, [{ status: 200 }, { status: 200 }])
      const changed = await ask(page, `${api}/auth/me`, {
        ...post({ name: 'Jo' }, headers),
        method: 'PATCH',
      })
      t.match(changed, { status: 200, json: { name: 'Jo' } })
    })

    for (const [what, origin] of [
      ['another origin of the same site', `http://localhost:${foreign}`],
      ['another site', `http://127.0.0.1:${otherSite}`],
    ] as const) {
      await t.test(`a page of ${what} neither reads nor changes anything`, async (t) => {
        await page.open(`${origin}/`)
        t.equal(await ask(page, `${api}/auth/me`), 'TypeError', 'the browser keeps the answer back')
        t.equal(await ask(page, `${api}/auth/csrf`), 'TypeError')
        const stolen = await page.evaluate<string>(
          'document.cookie.split("tessera_csrf=")[1] ?? ""',
        )
        const forged = post({}, { 'x-csrf-token': stolen })
        t.equal(await ask(page, `${api}/auth/logout`, forged), 'TypeError', 'nor does it send this')
        // Requests that a browser sends without asking first.
        for (const path of ['/auth/logout', '/auth/logout-all', '/auth/refresh']) {
          await ask(page, `${api}${path}`, { method: 'POST', mode: 'no-cors' })
        }
        await page.evaluate(`new Promise((resolve) => {
        document.body.innerHTML = '<iframe name="f"></iframe><form method="post" target="f"></form>'
        document.forms[0].action = ${JSON.stringify(`${api}/auth/logout`)}
        document.querySelector('iframe').addEventListener('load', resolve)
        document.forms[0].submit()
      })`)
        t.ok(await isSignedIn(), 'the session goes on')
      })
    }

    await t.test('sign-out takes the cookies away', async (t) => {
      await page.open(`http://localhost:${app}/`)
      const headers = {
        'x-csrf-token': await page.evaluate<string>('document.cookie.split("=")[1]'),
      }
      t.match(await ask(page, `${api}/auth/logout`, { method: 'POST', headers }), { status: 204 })
      t.equal(await page.evaluate<string>('document.cookie'), '')
      t.match(await ask(page, `${api}/auth/me`), { status: 401 })
    })
  },
)
