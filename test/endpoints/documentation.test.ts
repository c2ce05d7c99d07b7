import t from 'tap'
import { startService } from '../support/service.ts'

const links = (html: string): string[] =>
  [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '')

for (const [issuer, base] of Object.entries({
  'http://localhost:4000': '',
  'http://localhost:4000/auth': '/auth',
})) {
  t.test(`the API page of ${issuer} loads local files only`, async (t) => {
    const { app } = await startService(t, { ISSUER: issuer })

    for (const url of [`${base}/docs`, `${base}/docs/`]) {
      const page = await app.inject(url)
      t.equal(page.statusCode, 200)
      t.equal(
        page.headers['content-security-policy'],
        "default-src 'none';base-uri 'none';connect-src 'self';form-action 'self';" +
          "frame-ancestors 'none';img-src 'self' data:;script-src 'self';" +
          "style-src 'self' 'unsafe-inline'",
      )
      t.match(page.body, /<meta name="viewport" content="width=device-width">/)
      t.notMatch(page.body, /<script(?! src=)|<style|https?:/)
      t.ok(links(page.body).length >= 6)
      for (const link of links(page.body)) {
        const { pathname } = new URL(link, new URL(url, 'http://localhost:4000'))
        t.equal((await app.inject(pathname)).statusCode, 200, link)
      }
    }
  })

  t.test(
    `the Authorize button of ${issuer} begins the code flow, with nothing but our own`,
    async (t) => {
      const { app, deps } = await startService(t, { ISSUER: issuer })
      const description = (await app.inject(`${base}/docs/json`)).json()
      t.strictSame(Object.keys(description.components.securitySchemes.bearer.flows), [
        'authorizationCode',
      ])
      const { authorizationUrl, tokenUrl } =
        description.components.securitySchemes.bearer.flows.authorizationCode
      t.strictSame([authorizationUrl, tokenUrl], [`${base}/authorize`, `${base}/token`])

      // Swagger UI makes this address of that of its page.
      const redirectUri = `${issuer}/docs/static/oauth2-redirect.html`
      const { redirectUris } = await deps.clientAdministration.show('first-party')
      t.strictSame(redirectUris, [redirectUri])
      const page = await app.inject(new URL(redirectUri).pathname)
      t.equal(page.statusCode, 200)
      t.match(page.headers['content-security-policy'], "script-src 'self';")
      t.equal(page.headers['cross-origin-opener-policy'], 'same-origin')
      t.notMatch(page.body, /<script(?! src=)/)
    },
  )
}

t.test('the API page stores no password and no token, and asks no foreign validator', async (t) => {
  const { app } = await startService(t)
  const { body } = await app.inject('/docs/static/swagger-initializer.js')
  t.match(body, /"persistAuthorization":false/)
  t.match(body, /validatorUrl: null/)
  t.match(body, /"clientId":"first-party"/)
  t.match(body, /"usePkceWithAuthorizationCodeGrant":true/)
})

t.test('what is below the API page but not there is answered like everything else', async (t) => {
  const { app } = await startService(t)
  for (const url of ['/docs/static/nothing.js', '/docs/static/..%2f..%2fpackage.json', '/docs/x']) {
    const answer = await app.inject(url)
    t.equal(answer.statusCode, 404, url)
    t.match(answer.json(), { code: 'not_found' })
  }
})
