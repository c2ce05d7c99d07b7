import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import t from 'tap'
import type { Database } from '../../src/stores/postgres/schema.ts'
import { startAdminApi } from '../endpoints/admin/admin-api.ts'
import { connect } from '../support/service.ts'

type Operation = {
  readonly responses: Record<
    string,
    { readonly description: string; readonly content?: Record<string, unknown> }
  >
  readonly security?: readonly Record<string, unknown>[]
  readonly requestBody?: {
    readonly content: Record<string, { schema: { properties?: Record<string, unknown> } }>
  }
}

const json = 'application/json'
const formType = 'application/x-www-form-urlencoded'

/** Everything that a request could have written but should not have. */
const readTables = async (db: Kysely<Database>) => {
  const tables = ['users', 'sessions', 'refresh_families', 'revocations', 'clients'] as const
  const contents = await Promise.all(
    tables.map(async (table) => {
      const { rows } = await sql`SELECT * FROM ${sql.table(table)} ORDER BY 1, 2`.execute(db)
      return [table, rows]
    }),
  )
  return Object.fromEntries(contents)
}

/** The service with an administrator signed in, and all its operations that take a body of one kind. */
const prepare = async (mediaType: string) => {
  const service = await startAdminApi(t)
  const db = await connect(t, service)
  const somebody = await service.joinAdmin()
  const { paths } = service.app.swagger() as unknown as {
    paths: Record<string, Record<string, Operation>>
  }
  const operations = Object.entries(paths).flatMap(([url, methods]) =>
    Object.entries(methods)
      .filter(([, { requestBody }]) => requestBody?.content[mediaType] !== undefined)
      .map(([method, { requestBody, responses }]) => ({
        url,
        responses,
        method: method.toUpperCase() as 'POST',
        // What a browser is sent to answers with pages, and without a parameter there may be nothing wrong.
        isForBrowsers: responses['400']?.content?.['text/html'] !== undefined,
        isFirstParty: responses['400']?.content?.['application/problem+json'] !== undefined,
        members: Object.keys(requestBody?.content[mediaType]?.schema.properties ?? {}),
      })),
  )
  const send = (
    { url, method }: (typeof operations)[number],
    payload: string | Buffer,
    contentType = mediaType,
  ) =>
    service.app.inject({
      url,
      method,
      payload,
      headers: {
        'content-type': contentType,
        // A token where one is needed; the OAuth endpoints would take the header for a client's.
        ...(mediaType === json ? { authorization: `Bearer ${somebody.token}` } : {}),
      },
    })
  return { ...service, db, operations, send, before: await readTables(db) }
}

const members = (names: readonly string[], value: unknown): string =>
  JSON.stringify(Object.fromEntries(names.map((name) => [name, value])))

const nest = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`

type BadBody = (names: readonly string[]) => string | Buffer

const badJson: Record<string, { body: BadBody; status: number; code: string }> = {
  'no JSON': { body: () => '{"email":', status: 400, code: 'malformed_body' },
  'a list': { body: () => '[]', status: 400, code: 'validation' },
  'a text': { body: () => '"x"', status: 400, code: 'validation' },
  null: { body: () => 'null', status: 400, code: 'validation' },
  'numbers that fit nowhere': {
    body: (names) => members(names, -1.5),
    status: 400,
    code: 'validation',
  },
  'objects for texts': { body: (names) => members(names, {}), status: 400, code: 'validation' },
  'an unknown member': { body: () => '{"admin":true}', status: 400, code: 'validation' },
  'a NUL in every text': {
    body: (names) => members(names, 'a\0b'),
    status: 400,
    code: 'validation',
  },
  'a lone surrogate in every text': {
    body: (names) => members(names, 'a\ud800b'),
    status: 400,
    code: 'validation',
  },
  'bytes that are not UTF-8': {
    body: (names) => Buffer.from(members(names, 'é'), 'latin1'),
    status: 400,
    code: 'malformed_body',
  },
  'a prototype': {
    body: () => '{"__proto__":{"admin":true}}',
    status: 400,
    code: 'malformed_body',
  },
  'deep JSON': { body: () => nest(5000), status: 400, code: 'malformed_body' },
  'huge JSON': {
    body: (names) => members(names, 'x'.repeat(70_000)),
    status: 413,
    code: 'body_too_large',
  },
}

t.test(
  'first-party JSON: bad bodies are refused by every endpoint, and nothing is written',
  async (t) => {
    const { operations, send, db, before } = await prepare(json)
    const firstParty = operations.filter(({ isFirstParty }) => isFirstParty)
    t.ok(firstParty.length >= 7)
    for (const operation of firstParty) {
      for (const [name, { body, status, code }] of Object.entries(badJson)) {
        const answer = await send(operation, body(operation.members))
        const title = `${operation.method} ${operation.url}: ${name}`
        t.equal(answer.statusCode, status, title)
        t.match(answer.json(), { code, status }, title)
        t.match(answer.headers['content-type'], /^application\/problem\+json/, title)
        t.match(operation.responses[status], { description: `\`${code}\`` }, title)
      }
      for (const type of [formType, 'text/plain', 'application/jsonx']) {
        const answer = await send(operation, '{}', type)
        t.equal(answer.statusCode, 415, `${operation.url}: ${type}`)
      }
    }
    t.same(await readTables(db), before)
  },
)

const badForms: Record<string, { body: BadBody; status: number }> = {
  'a repeated parameter': { body: ([name]) => `${name}=a&${name}=b`, status: 400 },
  'a NUL': { body: ([name]) => `${name}=a%00b`, status: 400 },
  'an escaped surrogate': { body: ([name]) => `${name}=%ED%A0%80`, status: 400 },
  'a broken escape': { body: ([name]) => `${name}=%zz`, status: 400 },
  'bytes that are not UTF-8': {
    body: ([name]) => Buffer.from(`${name}=é`, 'latin1'),
    status: 400,
  },
  'a huge form': { body: ([name]) => `${name}=${'x'.repeat(70_000)}`, status: 413 },
}

t.test(
  'OAuth forms: bad bodies are refused by every endpoint, and nothing is written',
  async (t) => {
    const { operations, send, db, before } = await prepare(formType)
    t.ok(operations.length >= 4)
    for (const operation of operations) {
      for (const [name, { body, status }] of Object.entries(badForms)) {
        const answer = await send(operation, body(operation.members))
        const title = `${operation.method} ${operation.url}: ${name}`
        t.equal(answer.statusCode, status, title)
        if (operation.isForBrowsers) {
          t.match(answer.headers['content-type'], /^text\/html/, title)
          t.equal(answer.headers.location, undefined, title)
        } else {
          t.match(answer.json(), { error: 'invalid_request', error_description: String }, title)
          t.ok(operation.responses[status], title)
        }
      }
      for (const type of [json, 'text/plain', 'multipart/form-data; boundary=x']) {
        const answer = await send(operation, '{}', type)
        t.equal(answer.statusCode, 415, `${operation.url}: ${type}`)
        if (!operation.isForBrowsers) t.match(answer.json(), { error: 'invalid_request' })
      }
    }
    t.same(await readTables(db), before)
  },
)

t.test('whatever is in the members, no JSON endpoint fails', async (t) => {
  const { operations, send } = await prepare(json)
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.jsonValue({ maxDepth: 2 }),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...operations.filter(({ url }) => !url.startsWith('/auth/logout'))),
      fc.infiniteStream(text),
      async (operation, values) => {
        const given = operation.members.map((name) => [name, values.next().value])
        const answer = await send(operation, JSON.stringify(Object.fromEntries(given)))
        t.ok(answer.statusCode < 500, answer.body)
      },
    ),
    { numRuns: 200 },
  )
})

t.test('whatever is in the parameters, no form endpoint fails', async (t) => {
  const { operations, send } = await prepare(formType)
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...operations),
      fc.infiniteStream(fc.string({ unit: 'grapheme', maxLength: 100 })),
      async (operation, values) => {
        const form = new URLSearchParams()
        for (const name of operation.members) form.set(name, String(values.next().value))
        const answer = await send(operation, form.toString())
        t.ok(answer.statusCode < 500, answer.body)
      },
    ),
    { numRuns: 200 },
  )
})

t.test('whatever the bytes are, no endpoint fails', async (t) => {
  for (const mediaType of [json, formType]) {
    const { operations, send } = await prepare(mediaType)
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...operations),
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        async (operation, bytes) => {
          const { statusCode, body } = await send(operation, Buffer.from(bytes))
          t.ok((statusCode >= 400 || operation.isForBrowsers) && statusCode < 500, body)
        },
      ),
      { numRuns: 100 },
    )
  }
})
