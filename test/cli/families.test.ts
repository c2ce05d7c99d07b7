import t from 'tap'
import { serve } from './served.ts'

const { db, deps, run, json } = await serve(t)
const password = 'purple walrus forklift'
const email = 'ada@example.com'
await deps.userAdministration.createUser({ email, password }, { actor: 'test', origin: {} })
const origin = { address: '192.0.2.1', userAgent: 'Phone/1', requestId: 'r1' }
await deps.accounts.signIn({ email }, password, origin)
const { id } = await db.selectFrom('refresh_families').select('id').executeTakeFirstOrThrow()

t.test('show tells a family and its story', async (t) => {
  const story = (await json(['families', 'show', id])) as {
    family: { user_id: string; generation: number }
    timeline: { time: string }[]
  }
  const user = await deps.userAdministration.findUser(email)
  t.match(story, {
    family_id: id,
    state: 'live',
    family: { user_id: user?.id, client_id: 'first-party', generation: 1, revoked_at: null },
  })
  t.strictSame(story.timeline, [
    {
      time: story.timeline[0]?.time,
      what: 'issued',
      actor: user?.id,
      address: '192.0.2.1',
      user_agent: 'Phone/1',
      request_id: 'r1',
      details: {},
    },
  ])
})

t.test('show prints it for people, the id in any case', async (t) => {
  const { code, stdout } = await run(['families', 'show', id.toUpperCase()])
  t.equal(code, 0)
  t.match(stdout, /^state +live$/m)
  t.match(stdout, /^generation +1$/m)
  t.match(stdout, /^TIME +WHAT +ADDRESS +USER AGENT +ACTOR\n\S+ +issued +192\.0\.2\.1 +Phone\/1/m)
})

t.test('show says so when there is none', async (t) => {
  for (const other of ['00000000-0000-4000-8000-000000000000', 'nonsense']) {
    t.strictSame(await run(['families', 'show', other]), {
      code: 1,
      stdout: '',
      stderr: `There is no family "${other}"\n`,
    })
  }
})
