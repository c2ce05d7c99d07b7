import t from 'tap'
import { startService } from '../../support/service.ts'
import {
  createApp,
  goodRequest,
  openBrowser,
  redeem,
  redirectUri,
  sentTo,
  takeCode,
  toQuery,
} from './authorization.ts'

const service = await startService(t)

t.test('somebody who is signed in gives a code, which the client redeems for tokens', async (t) => {
  const app = await createApp(service)
  const { browser } = await openBrowser(service)

  const answer = await browser.get(
    `/authorize?${toQuery({ client_id: app.id, ...goodRequest, scope: 'read' })}`,
  )

  const { status, address, parameters } = sentTo(answer)
  t.equal(status, 303)
  t.equal(address, redirectUri)
  const { code = '', ...rest } = parameters
  t.same(rest, { state: 'the state', iss: 'http://localhost:4000' })
  t.equal(answer.headers['cache-control'], 'no-store')

  const tokens = await redeem(service.app, app, code)
  t.equal(tokens.statusCode, 200, tokens.body)
  t.match(tokens.json(), { token_type: 'Bearer', scope: 'read', expires_in: 900 })
  t.equal(typeof tokens.json().refresh_token, 'string')
})

t.test('a code is good once; a second use ends what the first gave', async (t) => {
  const app = await createApp(service)
  const { browser } = await openBrowser(service)
  const code = await takeCode(browser, app)
  const first = await redeem(service.app, app, code)
  t.equal(first.statusCode, 200)
  const second = await redeem(service.app, app, code)
  t.same(
    [second.statusCode, second.json()],
    [
      400,
      {
        error: 'invalid_grant',
        error_description: 'The code was used before; what it gave has been ended',
        code: 'reused',
      },
    ],
  )
})
