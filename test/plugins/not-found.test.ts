import t from 'tap'
import { registerFormBody } from '../../src/plugins/form-body.ts'
import { createTestServer } from './test-server.ts'

const server = createTestServer(t, (scope) => {
  scope.get('/things/:id', async () => ({}))
  scope.delete('/things/:id', async () => ({}))
  scope.register(async (oauth) => {
    registerFormBody(oauth)
    oauth.post('/token', { config: { errorFormat: 'oauth' } }, async () => ({}))
  })
})

const ask = async (method: string, url: string) => {
  const { app } = await server
  return app.inject({ method: method as 'GET', url, headers: { 'x-request-id': 'r1' } })
}

for (const url of ['/nowhere', '/things', '/things/1/2', '/token/', '/TOKEN', '//token']) {
  t.test(`an unknown address is a problem of its own: ${url}`, async (t) => {
    const answer = await ask('GET', url)
    t.equal(answer.statusCode, 404)
    t.same(answer.json(), {
      type: 'urn:tessera:problem:not_found',
      title: 'There is no such resource',
      status: 404,
      code: 'not_found',
      request_id: 'r1',
    })
    t.equal(answer.headers.allow, undefined)
  })
}

for (const method of ['POST', 'PUT', 'PATCH', 'OPTIONS', 'TRACE']) {
  t.test(
    `a known address refuses ${method}, and says what it allows (RFC 9110 §15.5.6)`,
    async (t) => {
      const answer = await ask(method, '/things/1?x=y')
      t.equal(answer.statusCode, 405)
      t.match(answer.json(), { code: 'method_not_allowed', status: 405 })
      t.equal(answer.headers.allow, 'DELETE, GET, HEAD')
    },
  )
}

t.test('a known OAuth address refuses a method in the format of OAuth', async (t) => {
  const answer = await ask('GET', '/token')
  t.equal(answer.statusCode, 405)
  t.same(answer.json(), {
    error: 'invalid_request',
    error_description: 'The method is not supported here',
  })
  t.equal(answer.headers.allow, 'POST')
})
