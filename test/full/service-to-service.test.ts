import t from 'tap'
import { freePort } from '../support/free-port.ts'
import { linesOf, startGuide } from '../support/guide.ts'
import { register } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

t.test('docs/service-to-service.md works as written', async (t) => {
  const guide = await startGuide(t)
  const apiUrl = `http://localhost:${await freePort()}`
  const [create = '', runApi = '', runCaller = ''] = linesOf('service-to-service.md')
  const elsewhere = `export API_URL=${apiUrl}\n`

  const api = guide.paste(elsewhere + runApi)
  await waitUntil('the API', () => api.output().includes('The API is at'))
  const caller = guide.paste(elsewhere + create + runCaller)
  t.equal(await caller.ended, 0, caller.output())
  t.equal(caller.output(), '200 {"reports":["Q1","Q2"],"caller":"reports"}\n')

  const ask = (headers: Record<string, string> = {}) => fetch(`${apiUrl}/reports`, { headers })
  await t.test('the API refuses who brings no token, and a token that is not for it', async (t) => {
    const person = await register(guide.app)
    const bearer = { authorization: `Bearer ${person.access_token}` }
    for (const headers of [undefined, bearer]) {
      const answer = await ask(headers)
      t.equal(answer.status, 401)
      t.equal(answer.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
    }
  })

  await t.test('the API refuses a token without its scope', async (t) => {
    const { secret } = await guide.deps.clientAdministration.create(
      { id: 'other', name: 'Other', audience: ['https://api.example'] },
      { actor: 'cli', origin: {} },
    )
    const tokens = await fetch(`${guide.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`other:${secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    const { access_token: token } = (await tokens.json()) as { access_token: string }
    const answer = await ask({ authorization: `Bearer ${token}` })
    t.equal(answer.status, 403)
    t.match(answer.headers.get('www-authenticate'), /insufficient_scope/)
  })
})
