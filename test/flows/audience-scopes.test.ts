import { decodeJwt } from 'jose'
import t from 'tap'
import { byOperator, createMachine, postForm } from '../endpoints/oauth/requests.ts'
import { startService } from '../support/service.ts'

const { app, deps } = await startService(t)
const [mail, files] = ['https://mail.example', 'https://files.example']
const machine = await createMachine(deps, {
  scope: ['mail.read', 'mail.send', 'files.read', 'shared'],
  audience: [mail, files],
})
const get = async (form: Record<string, string | string[]>) => {
  const answer = await postForm(
    app,
    '/token',
    { grant_type: 'client_credentials', ...form },
    machine.headers,
  )
  const { access_token, scope } = answer.json()
  const claims = decodeJwt(access_token)
  t.equal(claims.scope, scope, 'the answer says what the token has')
  return { audience: claims.aud, scope }
}

t.test('a token for an audience has no scope that it does not know', async (t) => {
  const set = deps.audienceAdministration.set
  await set({ name: mail, scope: ['mail.read', 'mail.send', 'shared'] }, byOperator)
  await set({ name: files, scope: ['files.read', 'shared'] }, byOperator)

  t.strictSame(await get({ resource: mail }), {
    audience: mail,
    scope: 'mail.read mail.send shared',
  })
  t.strictSame(await get({ resource: files, scope: 'mail.read files.read' }), {
    audience: files,
    scope: 'files.read',
  })
  t.strictSame(
    await get({ resource: [mail, files] }),
    { audience: [mail, files], scope: 'shared' },
    'of several audiences nothing is mixed (RFC 9068 §5)',
  )
  await set({ name: files }, byOperator)
  t.strictSame((await get({ resource: files })).scope, 'mail.read mail.send files.read shared')
})
