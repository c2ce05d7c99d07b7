import fc from 'fast-check'
import t, { type Test } from 'tap'
import { parseForm, registerFormBody } from '../../src/plugins/form-body.ts'
import { createTestServer } from './test-server.ts'

const formType = 'application/x-www-form-urlencoded'

/** A server that answers a form with its parameters, in the OAuth error format. */
const echoServer = async (t: Test) => {
  const { app } = await createTestServer(t, (scope) => {
    registerFormBody(scope)
    scope.post('/echo', { config: { errorFormat: 'oauth' } }, async ({ body }) => body)
  })
  return (payload: string | Buffer, type: string = formType) =>
    app.inject({ method: 'POST', url: '/echo', payload, headers: { 'content-type': type } })
}

const accepted: Record<string, { body: string; parameters: object }> = {
  'plus and escapes': { body: 'a=x+y%20z%2B&b=%C3%A9', parameters: { a: 'x y z+', b: 'é' } },
  'raw UTF-8': { body: 'a=é', parameters: { a: 'é' } },
  'an equals sign in a value': { body: 'a=b=c', parameters: { a: 'b=c' } },
  'an empty value, which is none': { body: 'a=&b=1&c', parameters: { b: '1' } },
  'stray separators': { body: '&&a=1&', parameters: { a: '1' } },
  'nothing at all': { body: '', parameters: {} },
  'names of the prototype': {
    body: '__proto__=1&constructor=2&toString=3',
    parameters: JSON.parse('{"__proto__":"1","constructor":"2","toString":"3"}'),
  },
}

for (const [name, { body, parameters }] of Object.entries(accepted)) {
  t.test(`a form is read: ${name}`, async (t) => {
    const post = await echoServer(t)
    const answer = await post(body)
    t.equal(answer.statusCode, 200)
    t.same(answer.json(), parameters)
  })
}

const notText = 'The form is not valid UTF-8 text'
const refused: Record<string, { body: string | Buffer; description: string }> = {
  'a repeated parameter': { body: 'a=1&a=1', description: 'a must not be repeated' },
  'a repeated parameter with an empty value': {
    body: 'scope=&scope=x',
    description: 'scope must not be repeated',
  },
  'a parameter repeated in another spelling': {
    body: 'a=1&%61=2',
    description: 'a must not be repeated',
  },
  'Latin-1 bytes': { body: Buffer.from('a=é', 'latin1'), description: notText },
  'escaped bytes that are not UTF-8': { body: 'a=%ff', description: notText },
  'a broken escape': { body: 'a=100%', description: notText },
  'a NUL': { body: 'a=x%00y', description: notText },
  'a NUL in a name': { body: 'a%00=x', description: notText },
  'an escaped surrogate': { body: 'a=%ED%A0%80', description: notText },
}

for (const [name, { body, description }] of Object.entries(refused)) {
  t.test(`a form is refused as invalid_request: ${name}`, async (t) => {
    const post = await echoServer(t)
    const answer = await post(body)
    t.equal(answer.statusCode, 400)
    t.same(answer.json(), { error: 'invalid_request', error_description: description })
  })
}

for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'x']) {
  t.test(`a scope of forms refuses the content type ${type}`, async (t) => {
    const post = await echoServer(t)
    const answer = await post('{}', type)
    t.equal(answer.statusCode, 415)
    t.same(answer.json(), {
      error: 'invalid_request',
      error_description: 'The content type is not supported',
    })
  })
}

for (const [name, headers, description] of [
  [
    'a charset that is not UTF-8',
    { 'content-type': `${formType}; charset=utf-16` },
    'The charset must be utf-8',
  ],
  [
    'a content coding',
    { 'content-type': formType, 'content-encoding': 'gzip' },
    'A body with a Content-Encoding is not supported',
  ],
] as const) {
  t.test(`a scope of forms refuses ${name}`, async (t) => {
    const { app } = await createTestServer(t, (scope) => {
      registerFormBody(scope)
      scope.post('/echo', { config: { errorFormat: 'oauth' } }, async ({ body }) => body)
    })
    const answer = await app.inject({ method: 'POST', url: '/echo', payload: 'a=1', headers })
    t.equal(answer.statusCode, 415)
    t.same(answer.json(), { error: 'invalid_request', error_description: description })
  })
}

t.test('a scope of forms takes a form with a charset, and a request without a body', async (t) => {
  const { app } = await createTestServer(t, (scope) => {
    registerFormBody(scope)
    scope.post('/echo', async ({ body }) => body)
  })
  const type = { 'content-type': `${formType};charset=UTF-8` }
  const post = { method: 'POST', url: '/echo' } as const
  t.same((await app.inject({ ...post, headers: type, payload: 'a=1' })).json(), { a: '1' })
  t.same((await app.inject(post)).json(), {})
})

t.test('every form that URLSearchParams writes is read as it was meant', async (t) => {
  const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'))
  fc.assert(
    fc.property(fc.dictionary(text, text), (parameters) => {
      const form = parseForm(Buffer.from(new URLSearchParams(parameters).toString()))
      const given = Object.entries(parameters).filter(([, value]) => value !== '')
      t.same(Object.entries(form).sort(), given.sort())
    }),
  )
})

t.test('no bytes whatever make the reader fail in any other way than by refusing', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        parseForm(bytes)
      } catch (error) {
        if ((error as Error).name !== 'Problem') throw error
      }
    }),
  )
})
