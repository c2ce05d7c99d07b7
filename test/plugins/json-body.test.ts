import fc from 'fast-check'
import t from 'tap'
import { maximumJsonDepth } from '../../src/plugins/json-body.ts'
import { createTestServer, listen } from './test-server.ts'

const server = createTestServer(t, (scope) => {
  scope.post('/echo', async ({ body }) => ({ body }))
})

const post = async (payload: string | Buffer, type = 'application/json') => {
  const { app } = await server
  return app.inject({ method: 'POST', url: '/echo', payload, headers: { 'content-type': type } })
}

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

const accepted: Record<string, { body: string; value: unknown }> = {
  'an object': { body: '{"a":"é"}', value: { a: 'é' } },
  'a byte order mark, which is dropped': { body: '\ufeff{}', value: {} },
  'of a member given twice the last': { body: '{"a":1,"a":2}', value: { a: 2 } },
  'an emoji, which is a pair of surrogates': { body: '{"a":"\\ud83d\\ude00"}', value: { a: '😀' } },
  'depth up to the limit': {
    body: nested(maximumJsonDepth),
    value: JSON.parse(nested(maximumJsonDepth)),
  },
}

for (const [name, { body, value }] of Object.entries(accepted)) {
  t.test(`JSON is read: ${name}`, async (t) => {
    const answer = await post(body)
    t.equal(answer.statusCode, 200)
    t.same(answer.json(), { body: value })
  })
}

t.test('an empty body is no body', async (t) => {
  t.same((await post('')).json(), {})
})

const malformed: Record<string, { body: string | Buffer; detail: string }> = {
  'no JSON': { body: '{"a":', detail: 'The body is not valid JSON' },
  'Latin-1 bytes': {
    body: Buffer.from('{"a":"é"}', 'latin1'),
    detail: 'The body is not valid UTF-8',
  },
  'an encoded surrogate': {
    body: Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
    detail: 'The body is not valid UTF-8',
  },
  'UTF-16': { body: Buffer.from('{"a":1}', 'utf16le'), detail: 'The body is not valid JSON' },
  'a prototype': { body: '{"__proto__":{"admin":true}}', detail: 'The body is not valid JSON' },
  'a constructor’s prototype': {
    body: '{"constructor":{"prototype":{"admin":true}}}',
    detail: 'The body is not valid JSON',
  },
  'one level too many': {
    body: nested(maximumJsonDepth + 1),
    detail: 'The body is nested too deeply',
  },
  'thousands of levels': { body: nested(2000), detail: 'The body is nested too deeply' },
}

for (const [name, { body, detail }] of Object.entries(malformed)) {
  t.test(`JSON is refused as malformed_body: ${name}`, async (t) => {
    const answer = await post(body)
    t.equal(answer.statusCode, 400)
    t.match(answer.json(), { code: 'malformed_body', detail })
  })
}

const illFormed: Record<string, { body: string; field: string; message: string }> = {
  'a NUL': {
    body: '{"name":"a\\u0000"}',
    field: 'name',
    message: 'has characters that are not allowed',
  },
  'a lone high surrogate': {
    body: '{"name":"\\ud83d"}',
    field: 'name',
    message: 'has characters that are not allowed',
  },
  'a lone low surrogate in a list': {
    body: '{"a":{"b":["x","\\ude00"]}}',
    field: 'a.b.1',
    message: 'has characters that are not allowed',
  },
  'a text alone': {
    body: '"\\u0000"',
    field: 'body',
    message: 'has characters that are not allowed',
  },
  'a name of a member': {
    body: '{"a":{"x\\u0000y":1}}',
    field: 'a.x?y',
    message: 'is not a name of a member',
  },
}

for (const [name, { body, field, message }] of Object.entries(illFormed)) {
  t.test(`text that no store can hold is refused with its field: ${name}`, async (t) => {
    const answer = await post(body)
    t.equal(answer.statusCode, 400)
    t.match(answer.json(), { code: 'validation', errors: [{ field, message }] })
  })
}

t.test('a body over the limit is 413, whether its length is announced or not', async (t) => {
  const { app } = await server
  const body = `"${'x'.repeat(5000)}"`
  const announced = await post(body)
  t.equal(announced.statusCode, 413)
  t.match(announced.json(), { code: 'body_too_large' })

  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from(body))
      controller.close()
    },
  })
  const { port } = await listen(app)
  const chunked = await fetch(`http://127.0.0.1:${port}/echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: stream,
    duplex: 'half',
  } as RequestInit)
  t.equal(chunked.status, 413)
  t.match(await chunked.json(), { code: 'body_too_large' })
})

for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'json']) {
  t.test(`first-party routes refuse the content type ${type}`, async (t) => {
    const answer = await post('{}', type)
    t.equal(answer.statusCode, 415)
    t.match(answer.json(), { code: 'unsupported_media_type' })
  })
}

const foreign: Record<string, { headers: Record<string, string>; detail: string }> = {
  ...Object.fromEntries(
    ['utf-16', '"utf-16"', 'iso-8859-1', 'x; charset=utf-8', 'utf-8; CharSet=utf-7', ''].map(
      (charset) => [
        `charset=${charset}`,
        {
          headers: { 'content-type': `application/json; charset=${charset}` },
          detail: 'The charset must be utf-8',
        },
      ],
    ),
  ),
  ...Object.fromEntries(
    ['gzip', 'br', 'identity, gzip', 'x'].map((coding) => [
      `the coding ${coding}`,
      {
        headers: { 'content-type': 'application/json', 'content-encoding': coding },
        detail: 'A body with a Content-Encoding is not supported',
      },
    ]),
  ),
}

for (const [name, { headers, detail }] of Object.entries(foreign)) {
  t.test(`a body that says it is not plain UTF-8 is not read as such: ${name}`, async (t) => {
    const { app } = await server
    const answer = await app.inject({ method: 'POST', url: '/echo', payload: '{}', headers })
    t.equal(answer.statusCode, 415)
    t.match(answer.json(), { code: 'unsupported_media_type', detail })
  })
}

for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'utf8', ' utf-8 ; x=y']) {
  t.test(`JSON may say that it is UTF-8: charset=${charset}`, async (t) => {
    const { app } = await server
    const headers = {
      'content-type': `application/json; charset=${charset}`,
      'content-encoding': 'identity',
    }
    const answer = await app.inject({ method: 'POST', url: '/echo', payload: '{}', headers })
    t.equal(answer.statusCode, 200)
  })
}

t.test('every JSON value of well-formed text is read as JSON.parse reads it', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 }), async (value) => {
      const text = JSON.stringify(value)
      if (/\\u0000|__proto__|constructor/.test(text)) return
      t.same((await post(text)).json(), { body: value })
    }),
    { numRuns: 50 },
  )
})

t.test('no bytes whatever are answered with anything but 200 or 400', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 30 }), async (bytes) => {
      const { statusCode } = await post(Buffer.from(bytes))
      t.ok(statusCode === 200 || statusCode === 400)
    }),
    { numRuns: 100 },
  )
})
