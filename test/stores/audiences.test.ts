import { createAudienceStore } from '../../src/stores/postgres/audiences.ts'
import { onEverySqlBackend } from '../support/sql-backends.ts'

const event = { type: 'audience.updated', outcome: 'success', actor: 'cli', origin: {} } as const

onEverySqlBackend(
  'settings are replaced as a whole, the longest lifetime stays known',
  async (t, backend) => {
    const store = createAudienceStore(backend)
    t.strictSame(await store.list(), [])

    await store.set({ name: 'https://b.example', accessTokenTtlSeconds: 3600 }, event)
    await store.set(
      { name: 'https://a.example', signingAlgorithm: 'ES256', scope: ['read', 'write'] },
      event,
    )
    await store.set(
      { name: 'https://b.example', signingAlgorithm: 'EdDSA', accessTokenTtlSeconds: 60 },
      event,
    )

    t.strictSame(await store.list(), [
      {
        ...{ name: 'https://a.example', signingAlgorithm: 'ES256', longestTtlSeconds: 0 },
        scope: ['read', 'write'],
      },
      {
        name: 'https://b.example',
        signingAlgorithm: 'EdDSA',
        accessTokenTtlSeconds: 60,
        longestTtlSeconds: 3600,
      },
    ])

    await store.set({ name: 'https://b.example' }, event)

    t.strictSame((await store.list())[1], { name: 'https://b.example', longestTtlSeconds: 3600 })
    const events = await backend.db.selectFrom('audit_events').select('type').execute()
    t.equal(events.length, 4)
  },
)
