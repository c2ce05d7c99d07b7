import { createSecretKey, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import { defaultClientSettings } from '../../src/clients/client-settings.ts'
import { sectorOf } from '../../src/clients/sector.ts'
import { createSubjects } from '../../src/tokens/subjects.ts'
import { makeClient } from '../support/new-client.ts'

const subjectsOf = (sectors: Record<string, string>, byte = 1) =>
  createSubjects({
    sectorOf: async (clientId) => sectors[clientId],
    key: () => createSecretKey(Buffer.alloc(32, byte)),
  })
const subjects = subjectsOf({ a: 'a.example', a2: 'a.example', b: 'b.example' })

test('a client with public subjects knows people by their ids, and so do we', async (t) => {
  const userId = randomUUID()
  t.equal(await subjects.subjectOf('public', userId), userId)
  t.equal(await subjects.userOf('public', userId), userId)
  t.equal(await subjects.userOf('a', userId), userId, 'of a token from before it was pairwise')
})

test('pairwise subjects lead back to the person, in their sector alone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uuid(), fc.uuid(), async (one, other) => {
      const named = await subjects.subjectOf('a', one)
      const elsewhere = await subjects.subjectOf('b', one)
      return (
        /^[A-Za-z0-9_-]{22}$/.test(named) &&
        named !== elsewhere &&
        (await subjects.userOf('a', named)) === one &&
        (await subjects.userOf('a2', named)) === one &&
        (await subjects.userOf('b', named)) !== one &&
        (one === other) === (named === (await subjects.subjectOf('a', other)))
      )
    }),
  )
})

test('another key gives other subjects', async (t) => {
  const userId = randomUUID()
  const other = subjectsOf({ a: 'a.example' }, 2)
  t.not(await other.subjectOf('a', userId), await subjects.subjectOf('a', userId))
})

test('a machine that is called as pairwise subjects look keeps its name', async (t) => {
  const id = 'm'.repeat(22)
  t.equal(await subjectsOf({ [id]: 'a.example' }).userOf(id, id), id)
})

const pairwise = { ...defaultClientSettings, subjectType: 'pairwise' } as const
const sectors: Record<
  string,
  readonly [client: Parameters<typeof makeClient>[0], sector?: string]
> = {
  'none for public subjects': [{ redirectUris: ['https://app.example/cb'] }],
  'the host of the redirect URIs': [
    { settings: pairwise, redirectUris: ['https://app.example/cb', 'https://app.example/2'] },
    'app.example',
  ],
  'the host of the sector identifier': [
    {
      settings: { ...pairwise, sectorIdentifierUri: 'https://sector.example/uris.json' },
      redirectUris: ['https://app.example/cb'],
    },
    'sector.example',
  ],
  'the client itself where no URI has a host': [
    { id: 'app_1', settings: pairwise, redirectUris: ['com.example.app:/cb'] },
    'app_1',
  ],
  'the client itself where there is no URI': [{ id: 'app_1', settings: pairwise }, 'app_1'],
}
for (const [title, [client, sector]] of Object.entries(sectors)) {
  test(`the sector of a client is ${title} (OpenID Connect Core §8.1)`, async (t) => {
    t.equal(sectorOf(makeClient(client)), sector)
  })
}
