import t from 'tap'
import { createMachine } from '../endpoints/oauth/requests.ts'
import { parseAnswer, sendBytes } from '../plugins/test-server.ts'
import { register, startService } from '../support/service.ts'

// Of two headers that contradict each other a proxy may believe the one and the service the other.
const { app, deps } = await startService(t)
const person = await register(app)
const machine = await createMachine(deps)

const host = 'Host: localhost'
const bearer = `Authorization: Bearer ${person.access_token}`
const basic = `Authorization: ${machine.headers.authorization}`
const form = 'Content-Type: application/x-www-form-urlencoded'
const grant = 'grant_type=client_credentials'

const send = async (lines: readonly string[], body = '') =>
  parseAnswer(await sendBytes(app, [...lines, '', body].join('\r\n')))

const me = ['GET /auth/me HTTP/1.1', 'Connection: close']
const token = ['POST /token HTTP/1.1', 'Connection: close', `Content-Length: ${grant.length}`]

t.test('with each header once both requests are good', async (t) => {
  t.equal((await send([...me, host, bearer])).status, 200)
  t.equal((await send([...token, host, basic, form], grant)).status, 200)
})

for (const [name, headers] of [
  ['Host', [host, 'Host: evil.example', bearer]],
  ['Host', [host, host, bearer]],
  ['Host', [host, 'hOST:', bearer]],
  ['Authorization', [host, bearer, 'Authorization: junk']],
  ['Authorization', [host, 'authorization: junk', bearer]],
  ['Authorization', [host, bearer, bearer]],
] as const) {
  t.test(
    `a header that decides comes once: ${headers.map((line) => line.slice(0, 20)).join(', ')}`,
    async (t) => {
      const keptOpen = ['GET /auth/me HTTP/1.1', ...headers]
      const { status, headers: answered, body } = await send(keptOpen)
      t.equal(status, 400)
      t.equal(answered.connection, 'close')
      t.match(JSON.parse(body), {
        code: 'malformed_request',
        detail: `The header ${name} came more than once`,
      })
    },
  )
}

for (const [name, headers] of [
  ['Authorization', [host, basic, 'Authorization: Basic Og==', form]],
  ['Content-Type', [host, basic, form, 'Content-Type: application/json']],
] as const) {
  t.test(`the token endpoint says the same in OAuth's words: ${name}`, async (t) => {
    const { status, body } = await send([...token, ...headers], grant)
    t.equal(status, 400)
    t.same(JSON.parse(body), {
      error: 'invalid_request',
      error_description: `The header ${name} came more than once`,
    })
  })
}
