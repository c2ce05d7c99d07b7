import fc from 'fast-check'
import t from 'tap'
import { encodeCursor as encodeUserCursor } from '../../src/endpoints/admin/cursor.ts'
import { startAdminApi } from '../endpoints/admin/admin-api.ts'

// Whatever stands in an address or in a body is refused by name or means something: what no
// calendar has, or no column of the database can hold, is no error of ours.

const api = await startAdminApi(t)
const { token } = await api.joinAdmin()

const digits = (length: number) =>
  fc.nat(10 ** length - 1).map((number) => String(number).padStart(length, '0'))
/** Mostly one of these, where calendars and PostgreSQL have their edges. */
const part = (length: number, ...edges: readonly string[]) =>
  fc.oneof(digits(length), { weight: 4, arbitrary: fc.constantFrom(...edges) })
const dates = fc
  .tuple(
    part(4, '0000', '0001', '9999', '2024', '+275760', '-000001'),
    part(2, '01', '02', '12'),
    part(2, '01', '29', '31'),
  )
  .map((parts) => parts.join('-'))
const clocks = fc
  .tuple(part(2, '00', '23', '24'), part(2, '00', '59'), part(2, '00', '59', '60'))
  .map((parts) => parts.join(':'))
const fractions = fc.constantFrom('', '.000000', '.999999', '.5', '.999999999999')
const zones = fc.constantFrom('Z', 'z', '+00:00', '-00:00', '+23:59', '-15:59', '-24:00', '')
const times = fc.oneof(
  fc.tuple(dates, clocks).map(([date, clock]) => `${date}T${clock}Z`),
  fc.tuple(dates, clocks).map(([date, clock]) => `${date}T${clock}.000000Z`),
  fc.tuple(dates, clocks, fractions, zones).map(([date, ...rest]) => `${date}T${rest.join('')}`),
)
const texts = fc.oneof(fc.string({ unit: 'binary', maxLength: 100 }), times)
const base64url = (text: string) => Buffer.from(text).toString('base64url')
const cursors = fc.oneof(
  texts,
  fc.string({ unit: 'binary' }).map(base64url),
  fc.tuple(times, fc.uuid()).map(([at, id]) => base64url(`${at} ${id}`)),
)

const isNoError = async (url: string, query: Record<string, string>) => {
  const text = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, value.toWellFormed()]),
  )
  const { status, body } = await api.get(`${url}?${text}`, token)
  if (status !== 200 && status !== 400) throw new Error(`${status} to ${text}: ${body}`)
}

t.test('no cursor, time or address of a reading of the audit log is a 500', async () => {
  const query = fc.record(
    {
      cursor: cursors,
      from: texts,
      to: texts,
      address: fc.oneof(texts, fc.ipV4(), fc.ipV6()),
      subject: texts,
      session: fc.oneof(texts, fc.uuid()),
      limit: fc.oneof(texts, fc.bigInt().map(String), fc.double().map(String)),
    },
    { requiredKeys: [] },
  )
  await fc.assert(
    fc.asyncProperty(query, (given) => isNoError('/admin/audit-events', given)),
    { numRuns: 300 },
  )
  await fc.assert(
    fc.asyncProperty(cursors, (cursor) => isNoError('/auth/audit-log', { cursor })),
    { numRuns: 200 },
  )
})

t.test('nor the only member of a query', async () => {
  for (const member of ['from', 'to', 'cursor']) {
    await fc.assert(
      fc.asyncProperty(member === 'cursor' ? cursors : times, (value) =>
        isNoError('/admin/audit-events', { [member]: value }),
      ),
      { numRuns: 200 },
    )
  }
})

t.test('no cursor, limit, or text of a search for accounts is a 500', async () => {
  const query = fc.record(
    {
      q: texts,
      role: texts,
      cursor: fc.oneof(cursors, fc.string({ unit: 'binary' }).map(encodeUserCursor)),
      limit: fc.oneof(texts, fc.bigInt().map(String), fc.double().map(String)),
    },
    { requiredKeys: [] },
  )
  await fc.assert(
    fc.asyncProperty(query, (given) => isNoError('/admin/users', given)),
    { numRuns: 300 },
  )
})

t.test('no number is a 500, however large', async (t) => {
  const numbers = fc.oneof(
    fc.constantFrom(2 ** 31 - 1, 2 ** 31, 2 ** 53, 2 ** 63, 1e21, 1e308, -1, -(2 ** 31) - 1, 0.5),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  )
  const { json, status } = await api.post('/admin/clients', { client_name: 'Numbers' }, token)
  t.equal(status, 201)
  const url = `/admin/clients/${json.client_id}`
  t.equal((await api.get(url, token)).status, 200)
  const acts = [
    (value: number) =>
      api.put(
        '/admin/audiences',
        { audience: 'https://numbers.example', access_token_ttl_seconds: value },
        token,
      ),
    (value: number) => api.post(`${url}/rotate-secret`, { overlap_seconds: value }, token),
    (value: number) => api.patch(url, { refresh_grace_seconds: value }, token),
  ]
  for (const act of acts) {
    await fc.assert(
      fc.asyncProperty(numbers, async (value) => {
        const { status, body } = await act(value)
        if (status >= 500) throw new Error(`${status} to ${value}: ${body}`)
      }),
      { numRuns: 60 },
    )
  }
})
