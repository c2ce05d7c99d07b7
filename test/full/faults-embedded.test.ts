import { test } from 'tap'
import { bodyOf, credentials, get, post, type SignedIn } from '../faults/over-http.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { startServer } from '../support/server-process.ts'
import { testEnvironment } from '../support/service.ts'

// Without a key-encryption key: the one that the service made for itself has to survive too.
const { KEY_ENCRYPTION_KEY: _given, ...environment } = testEnvironment

test('embedded: accounts, keys and refresh tokens survive a kill -9 and a restart', async (t) => {
  const folder = temporaryFolder('embedded')
  const start = () => startServer(t, environment, { folder, timeoutMs: 60_000 })
  const killed = await start()
  const account = credentials()
  const person = await bodyOf<SignedIn>(post(killed, '/auth/register', account))
  const { refresh_token: parent } = person
  const first = await bodyOf<SignedIn>(post(killed, '/refresh', { refresh_token: parent }))
  t.strictSame(await killed.kill(), { code: null, signal: 'SIGKILL' })

  const stopped = await start()
  t.equal((await post(stopped, '/auth/login', account)).status, 200)
  const bearer = { authorization: `Bearer ${first.access_token}` }
  t.equal((await get(stopped, '/auth/me', bearer)).status, 200, 'the same keys')
  const second = await bodyOf<SignedIn>(
    post(stopped, '/refresh', { refresh_token: first.refresh_token }),
  )
  t.equal((await post(stopped, '/auth/logout', {}, bearer)).status, 204)
  t.strictSame(await stopped.stop(), { code: 0, signal: null })

  const again = await start()
  t.equal((await post(again, '/auth/login', account)).status, 200)
  t.equal((await get(again, '/auth/me', bearer)).status, 401, 'signed out before the restart')
  t.equal((await post(again, '/refresh', { refresh_token: second.refresh_token })).status, 401)
})
