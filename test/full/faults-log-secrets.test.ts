import { test } from 'tap'
import { sendRubbish, startTalkative, useEverything } from '../faults/every-request.ts'
import { get, post } from '../faults/over-http.ts'
import { formsOf } from '../faults/vault.ts'
import { waitUntil } from '../support/wait-until.ts'

test('at the chattiest level no secret stands in the output, whatever happens', async (t) => {
  const talkative = await startTalkative(t)
  const { server, proxy, vault } = talkative
  const sent = await useEverything(talkative)
  await sendRubbish(talkative)
  proxy.cut()
  await post(server, '/auth/login', {
    email: 'somebody@example.com',
    password: vault.make('password during an outage'),
  })
  await waitUntil('the outage to be told', () => server.output().includes('could not be read'))
  await server.stop()

  const output = server.output()
  t.ok(server.log().filter(({ msg }) => msg === 'request').length >= sent, 'there is a log')
  for (const [name, secret] of vault.secrets) {
    const found = formsOf(secret).filter((text) => output.includes(text))
    t.strictSame(found, [], name)
  }
  t.notMatch(output, /\$argon2|BEGIN (RSA )?PRIVATE KEY|"d":"/, 'nor hashes or keys')
})

test('every line about a request carries its id, and a bad id is replaced', async (t) => {
  const { server, proxy } = await startTalkative(t)
  const idOf = async (answer: Promise<Response>): Promise<string> =>
    (await answer).headers.get('x-request-id') ?? ''
  t.equal(
    await idOf(get(server, '/auth/me', { 'x-request-id': 'from-the-caller' })),
    'from-the-caller',
  )
  const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
  const given = ['two words', 'x'.repeat(129), '{"a":1}', 'ümlaut']
  const replaced = await Promise.all(
    given.map((id) =>
      idOf(get(server, '/auth/me', { 'x-request-id': encodeURI(id).replaceAll('%20', ' ') })),
    ),
  )
  for (const id of replaced) t.match(id, uuid)
  const own = await idOf(get(server, '/health/live'))
  t.match(own, uuid)
  proxy.cut()
  t.equal(
    await idOf(
      post(
        server,
        '/auth/login',
        { email: 'a@example.com', password: 'b' },
        { 'x-request-id': 'failing' },
      ),
    ),
    'failing',
  )
  await server.stop()

  const lines = server.log()
  for (const id of ['from-the-caller', 'failing', own, ...replaced]) {
    const requests = lines.filter(({ msg, requestId }) => msg === 'request' && requestId === id)
    t.equal(requests.length, 1, 'one line for each request')
  }
  const about = lines.filter(({ msg, route }) => msg === 'request' || route !== undefined)
  t.ok(about.every(({ requestId }) => typeof requestId === 'string'))
})
