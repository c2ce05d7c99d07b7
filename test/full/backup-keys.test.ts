import { decodeProtectedHeader } from 'jose'
import { type Test, test } from 'tap'
import { cheapSettings, runCli } from '../cli/run-cli.ts'
import { createTestDatabase } from '../support/database.ts'
import { isAccepted, refresh } from '../support/nodes.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import {
  connect,
  register,
  startService,
  type TestService,
  testKeyEncryptionKey,
} from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'
import { dump, restore, startWithTools } from './dump-and-restore.ts'

type WireKey = { readonly kid: string; readonly state: string }

const keyOf = (token: string): string => decodeProtectedHeader(token).kid ?? ''
const publishes = async ({ app }: TestService, keyId: string): Promise<boolean> =>
  (await app.inject({ url: '/.well-known/jwks.json' })).body.includes(keyId)
const close = async ({ app, deps }: TestService): Promise<void> => {
  await app.close()
  await deps.close()
}

/** A service with somebody signed in, a dump of it, and the commands of its operator. */
const startWithDump = async (t: Test) => {
  const tools = await startWithTools(t)
  const { url: databaseUrl } = await createTestDatabase(t, tools.server.url)
  const service = await startService(t, { DATABASE_URL: databaseUrl })
  const person = await register(service.app)
  const leaked = keyOf(person.access_token)
  const file = await dump(tools, databaseUrl)
  const environment = {
    ...cheapSettings,
    DATABASE_URL: databaseUrl,
    KEY_ENCRYPTION_KEY: testKeyEncryptionKey,
    DATA_DIR: temporaryFolder('cli'),
  }
  return {
    ...{ service, person, leaked },
    startNode: () => startService(t, { DATABASE_URL: databaseUrl }),
    tessera: (...words: string[]) => runCli(words, environment),
    restore: () => restore(tools, databaseUrl, file),
  }
}

const promoteNext = (leaked: string) =>
  ['keys', 'promote-next', '--algorithm', 'RS256', '--revoke', leaked, '--yes'] as const

/** Everybody gets tokens of another key than the leaked one, which is not published. */
const signsWithout = async (t: Test, node: TestService, leaked: string): Promise<void> => {
  const { access_token: token } = await register(node.app)
  t.not(keyOf(token), leaked)
  t.equal(await isAccepted(node, token), true)
  t.equal(await publishes(node, leaked), false)
}

test('a leaked key that a restore brings back: nodes that run end it again by themselves, and the published next key signs', async (t) => {
  const { service, person, leaked, startNode, tessera, restore } = await startWithDump(t)
  t.match(await tessera(...promoteNext(leaked)), { code: 0 })
  const promoted = await waitUntil('the node to sign with the next key', async () => {
    const keyId = keyOf((await register(service.app)).access_token)
    return keyId === leaked ? undefined : keyId
  })

  await restore()
  const db = await connect(t, service)
  await waitUntil('the node to put the entry back', async () => {
    const rows = await db.selectFrom('revocations').selectAll().execute()
    return rows.some(({ kind, value }) => kind === 'kid' && value === leaked)
  })
  // One that knows only what stands in the database.
  const later = await startNode()
  for (const node of [service, later]) {
    await signsWithout(t, node, leaked)
    t.equal(keyOf((await register(node.app)).access_token), promoted, 'as before the restore')
    t.equal(await isAccepted(node, person.access_token), false)
  }
  t.equal((await refresh(later, person.refresh_token)).status, 200, 'nobody is signed out')
  const [event] = await db
    .selectFrom('audit_events')
    .select(['severity', 'actor', 'details'])
    .where('type', '=', 'key.revoked')
    .execute()
  t.strictSame(event, {
    severity: 'critical',
    actor: null,
    details: { key_id: leaked, algorithm: 'RS256', reason: 'restored', promoted },
  })
  t.match(await tessera(...promoteNext(leaked)), {
    code: 1,
    stdout: /no published key has this id/,
  })
})

test('with no node running the restore forgets the emergency: the operator repeats the command', async (t) => {
  const { service, person, leaked, startNode, tessera, restore } = await startWithDump(t)
  t.match(await tessera(...promoteNext(leaked)), { code: 0 })
  await close(service)
  await restore()

  const keys = JSON.parse((await tessera('keys', 'list', '--json')).stdout) as WireKey[]
  t.equal(keys.find(({ kid }) => kid === leaked)?.state, 'current', 'nobody is left who knows')
  t.match(await tessera(...promoteNext(leaked)), { code: 0 })
  const node = await startNode()
  t.equal(await isAccepted(node, person.access_token), false)
  await signsWithout(t, node, leaked)
  t.equal((await refresh(node, person.refresh_token)).status, 200, 'nobody is signed out')
})

test('everything leaked: after a restore the operator repeats replace-all, whoever was running', async (t) => {
  const { service, person, leaked, startNode, tessera, restore } = await startWithDump(t)
  t.match(await tessera('keys', 'replace-all', '--yes'), { code: 0 })
  await waitUntil('the node to hear', async () => !(await isAccepted(service, person.access_token)))
  await restore()
  const db = await connect(t, service)
  await waitUntil('the node to put the entries back', async () => {
    const rows = await db.selectFrom('revocations').selectAll().execute()
    return rows.some(({ value }) => value === leaked)
  })
  t.match(await tessera('keys', 'replace-all', '--yes'), { code: 0 })
  const later = await startNode()
  for (const node of [service, later]) {
    await waitUntil('the node to refuse the old sign-in', async () => {
      return (await refresh(node, person.refresh_token)).status === 401
    })
    await signsWithout(t, node, leaked)
  }
})
