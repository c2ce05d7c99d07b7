import { test } from 'tap'
import { startService } from '../support/service.ts'

test('a sign-in from a device that is not known is told of, and no other', async (t) => {
  const { deps, app } = await startService(t)
  const credentials = { email: 'ada@example.com', password: 'purple walrus forklift' }
  const signIn = async (userAgent: string | undefined) => {
    const headers = userAgent === undefined ? {} : { 'user-agent': userAgent }
    const payload = credentials
    const answer = await app.inject({ method: 'POST', url: '/auth/login', headers, payload })
    return answer.json<{ user: { id: string } }>().user.id
  }
  const firstAgent = 'Mozilla/5.0 (X11; Linux x86_64) Firefox/149.0'
  await app.inject({
    method: 'POST',
    url: '/auth/register',
    headers: { 'user-agent': firstAgent },
    payload: credentials,
  })
  const told = async (userId: string) => {
    const filter = { type: 'sign_in.new_device', subject: userId } as const
    const { events } = await deps.auditLog.find(filter, { limit: 10 })
    return events.map(({ userAgent }) => userAgent)
  }

  const id = await signIn(firstAgent)
  t.strictSame(await told(id), [], 'neither at registration nor from the same device')
  await signIn('Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0.1')
  t.strictSame(await told(id), [], 'an update makes no other device')
  const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) Safari/19.1'
  await signIn(phone)
  t.strictSame(await told(id), [phone])
  await signIn(phone)
  await signIn(firstAgent)
  t.strictSame(await told(id), [phone], 'only once')
})
