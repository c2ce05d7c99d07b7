import { type Test, test } from 'tap'
import { migrateToLatest } from '../../src/stores/postgres/migrator.ts'
import { schemaRelease } from '../../src/stores/postgres/schema-state.ts'
import { basic, postForm } from '../endpoints/oauth/requests.ts'
import { createEmptyDatabase, createTestDatabase } from '../support/database.ts'
import { isAccepted, refresh, tokenOf } from '../support/nodes.ts'
import { startService } from '../support/service.ts'
import { replay } from './replay.ts'
import { migrateTo, migrationDigests } from './schema.ts'
import { readTranscript, releaseBefore, type Statement } from './transcript.ts'

// Migrations only expand, so that nodes of the release before work on while others are replaced.
const release = releaseBefore
const { migrations, outcome, statements } = readTranscript(release)

test('the migrations of a release that was made are never changed', async (t) => {
  t.match(migrationDigests(), migrations)
})

const said = (all: readonly Statement[]) =>
  all.map(({ text, reply }) => ({ text: text.trim().replace(/\s+/g, ' '), reply }))

/** What a person and a machine of the earlier release expect of the present one. */
const expectToGoOn = async (t: Test, databaseUrl: string): Promise<void> => {
  const service = await startService(t, { DATABASE_URL: databaseUrl })
  const { email, password, refreshToken = '', clientId = '', clientSecret = '' } = outcome
  const answer = await refresh(service, refreshToken)
  t.equal((await refresh(service, tokenOf(answer))).status, 200, 'the refresh token goes on')
  t.equal(await isAccepted(service, `${answer.body.access_token}`), true)
  const signIn = await service.app.inject({
    method: 'POST',
    url: '/auth/login',
    payload: { email, password },
  })
  t.equal(signIn.statusCode, 200, 'the person signs in')
  const grant = { grant_type: 'client_credentials' }
  const headers = basic(clientId, clientSecret)
  t.equal((await postForm(service.app, '/token', grant, headers)).statusCode, 200, 'the machine')
}

test(`code of release ${release} works on the present schema, and what it wrote works with the present code`, async (t) => {
  t.equal(schemaRelease - release <= 1, true, 'which is the next one at most')
  const { url } = await createTestDatabase(t)
  t.strictSame(said(await replay(url, statements)), said(statements))
  await expectToGoOn(t, url)
})

test(`a database that release ${release} has filled is migrated, and its people and machines go on`, async (t) => {
  const { url } = await createEmptyDatabase(t)
  await migrateTo(url, Object.keys(migrations))
  t.strictSame(said(await replay(url, statements)), said(statements), 'the transcript is right')
  const applied = await migrateToLatest(url)
  t.ok(applied.length > 0 && applied.every((name) => !(name in migrations)))
  await expectToGoOn(t, url)
})
