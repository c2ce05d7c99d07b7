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

  t.test(`the Authorize button of ${issuer} signs in at an address that answers`, async (t) => {
    const { app } = await startService(t, { ISSUER: issuer })
    const description = (await app.inject(`${base}/docs/json`)).json()

    const { tokenUrl } = description.components.securitySchemes.bearer.flows.password

    const refused = await app.inject({
      method: 'POST',
      url: tokenUrl,
      headers: {
        // What Swagger UI sends beside the form.
        authorization: 'Basic Og==',
        'x-requested-with': 'XMLHttpRequest',
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload: 'grant_type=password&username=nobody%40example.com&password=wrong&scope=account',
    })
    t.match(refused.json(), { error: 'invalid_grant' })
  })
}

t.test('the API page stores no password and no token, and asks no foreign validator', async (t) => {
  const { app } = await startService(t)
  const { body } = await app.inject('/docs/static/swagger-initializer.js')
  t.match(body, /"persistAuthorization":false/)
  t.match(body, /validatorUrl: null/)
  t.match(body, /"clientId":"first-party"/)
})

t.test('what is below the API page but not there is answered like everything else', async (t) => {
  const { app } = await startService(t)
  for (const url of ['/docs/static/nothing.js', '/docs/static/..%2f..%2fpackage.json', '/docs/x']) {
    const answer = await app.inject(url)
    t.equal(answer.statusCode, 404, url)
    t.match(answer.json(), { code: 'not_found' })
  }
})
