import t from 'tap'
import { Type } from 'typebox'
import { OAuthError } from '../../src/oauth/error.ts'
import { Problem } from '../../src/oauth/problem.ts'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import { createTestServer } from './test-server.ts'

const requestId = 'request-1'
const ask = { method: 'GET', headers: { 'x-request-id': requestId } } as const

const thrown: Record<string, { error: unknown; problem: object; oauth: object; status: number }> = {
  'a problem': {
    error: new Problem('email_taken', {
      detail: 'Taken.',
      fields: [{ field: 'email', message: 'is taken' }],
    }),
    status: 409,
    problem: {
      type: 'urn:tessera:problem:email_taken',
      title: 'The email address is already registered',
      status: 409,
      code: 'email_taken',
      detail: 'Taken.',
      errors: [{ field: 'email', message: 'is taken' }],
      request_id: requestId,
    },
    oauth: { error: 'invalid_request', error_description: 'email is taken' },
  },
  'an OAuth error keeps its format everywhere': {
    error: new OAuthError('invalid_grant', 'Used "twice" \\ before…', { subCode: 'reused' }),
    status: 400,
    problem: {
      error: 'invalid_grant',
      error_description: "Used 'twice' ? before?",
      code: 'reused',
    },
    oauth: {
      error: 'invalid_grant',
      error_description: "Used 'twice' ? before?",
      code: 'reused',
    },
  },
  'a dependency that does not answer': {
    error: new Unavailable('the database does not answer: host db.internal'),
    status: 503,
    problem: {
      type: 'urn:tessera:problem:unavailable',
      title: 'The service cannot answer now',
      status: 503,
      code: 'unavailable',
      request_id: requestId,
    },
    oauth: {
      error: 'temporarily_unavailable',
      error_description: 'The service cannot answer now',
      request_id: requestId,
    },
  },
  'anything else, of which nothing is told': {
    error: new Error('password=hunter2 at /srv/app.ts'),
    status: 500,
    problem: {
      type: 'urn:tessera:problem:internal',
      title: 'Something went wrong',
      status: 500,
      code: 'internal',
      request_id: requestId,
    },
    oauth: {
      error: 'server_error',
      error_description: 'Something went wrong',
      request_id: requestId,
    },
  },
  'what is not even an Error': {
    error: 'a string',
    status: 500,
    problem: {
      type: 'urn:tessera:problem:internal',
      title: 'Something went wrong',
      status: 500,
      code: 'internal',
      request_id: requestId,
    },
    oauth: {
      error: 'server_error',
      error_description: 'Something went wrong',
      request_id: requestId,
    },
  },
}

for (const [name, { error, status, problem, oauth }] of Object.entries(thrown)) {
  t.test(`the error handler tells in the format of the route: ${name}`, async (t) => {
    const { app } = await createTestServer(t, (scope) => {
      scope.get('/problem', async () => {
        throw error
      })
      scope.get('/oauth', { config: { errorFormat: 'oauth' } }, async () => {
        throw error
      })
    })

    const answers = { problem, oauth }
    for (const [format, body] of Object.entries(answers)) {
      const answer = await app.inject({ ...ask, url: `/${format}` })
      t.equal(answer.statusCode, status, format)
      t.same(answer.json(), body, format)
      t.equal(answer.headers['cache-control'], 'no-store')
      const type = 'type' in body ? 'application/problem+json' : 'application/json'
      t.equal(answer.headers['content-type'], `${type}; charset=utf-8`)
    }
  })
}

t.test('an error carries its challenge and its Retry-After as headers', async (t) => {
  const { app } = await createTestServer(t, (scope) => {
    scope.get('/challenge', async () => {
      throw new Problem('missing_credentials', { challenge: 'Bearer realm="x"' })
    })
    scope.get('/unchallenged', async () => {
      throw new Problem('invalid_credentials')
    })
    scope.get('/client', async () => {
      throw new OAuthError('invalid_client', 'no', { challenge: 'Basic realm="x"' })
    })
    scope.get('/later', async () => {
      throw new Unavailable('busy', { retryAfterSeconds: 7 })
    })
  })

  const challenged = await app.inject('/challenge')
  t.equal(challenged.statusCode, 401)
  t.equal(challenged.headers['www-authenticate'], 'Bearer realm="x"')
  const unchallenged = await app.inject('/unchallenged')
  t.equal(unchallenged.headers['www-authenticate'], 'Bearer', 'a 401 has one (RFC 9110 §15.5.2)')
  const client = await app.inject('/client')
  t.equal(client.statusCode, 401)
  t.equal(client.headers['www-authenticate'], 'Basic realm="x"')
  t.equal((await app.inject('/later')).headers['retry-after'], '7')
})

t.test('only the log learns why: the cause stands in the line of the request', async (t) => {
  const { app, log } = await createTestServer(t, (scope) => {
    scope.get('/refused', async () => {
      throw new OAuthError('invalid_grant', 'The token is not valid', {
        subCode: 'expired',
        cause: 'idle since yesterday',
      })
    })
    scope.get('/down', async () => {
      throw new Unavailable('the database does not answer', { cause: new Error('ECONNREFUSED') })
    })
    scope.get('/bug', async () => {
      throw new TypeError('undefined is not a function')
    })
  })

  await app.inject('/refused')
  t.match(log.at(-1), {
    code: 'invalid_grant/expired',
    reason: 'idle since yesterday',
    status: 400,
  })
  await app.inject('/down')
  t.match(log.at(-1), {
    code: 'unavailable',
    reason: 'the database does not answer: ECONNREFUSED',
    status: 503,
  })
  await app.inject('/bug')
  t.match(log.at(-2), { level: 'error', err: { type: 'TypeError', stack: /error-handler/ } })
})

const person = Type.Object(
  {
    name: Type.String({ minLength: 2, maxLength: 4 }),
    age: Type.Optional(Type.Integer()),
    address: Type.Optional(Type.Object({ city: Type.String() }, { additionalProperties: false })),
  },
  { additionalProperties: false },
)

const invalid: Record<string, { body: unknown; errors: { field: string; message: string }[] }> = {
  'a missing member': { body: {}, errors: [{ field: 'name', message: 'is required' }] },
  'a wrong type, which is not coerced': {
    body: { name: 'abc', age: '5' },
    errors: [{ field: 'age', message: 'must be of type integer' }],
  },
  'an unknown member, which is not dropped': {
    body: { name: 'abc', admin: true },
    errors: [{ field: 'admin', message: 'is not a member of this request' }],
  },
  'a member inside another': {
    body: { name: 'abc', address: { city: 1, 'zip/code~': 2 } },
    errors: [
      { field: 'address.zip/code~', message: 'is not a member of this request' },
      { field: 'address.city', message: 'must be of type string' },
    ],
  },
  'several at once': {
    body: { name: 'a', age: 'x' },
    errors: [
      { field: 'name', message: 'must have at least 2 characters' },
      { field: 'age', message: 'must be of type integer' },
    ],
  },
  'a body that is no object': {
    body: [],
    errors: [{ field: 'body', message: 'must be of type object' }],
  },
}

for (const [name, { body, errors }] of Object.entries(invalid)) {
  t.test(`validation names each wrong member: ${name}`, async (t) => {
    const { app } = await createTestServer(t, (scope) => {
      scope.post('/people', { schema: { body: person } }, async () => ({}))
    })

    const answer = await app.inject({
      ...ask,
      method: 'POST',
      url: '/people',
      payload: body as object,
    })

    t.equal(answer.statusCode, 400)
    t.same(answer.json(), {
      type: 'urn:tessera:problem:validation',
      title: 'The request is not valid',
      status: 400,
      code: 'validation',
      errors,
      request_id: requestId,
    })
  })
}

t.test('validation answers a thousand wrong members with at most twenty', async (t) => {
  const { app } = await createTestServer(
    t,
    (scope) => scope.post('/people', { schema: { body: person } }, async () => ({})),
    { bodyLimitBytes: 100_000 },
  )
  const body = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`m${i}`, 1]))

  const answer = await app.inject({ method: 'POST', url: '/people', payload: body })

  t.equal(answer.json().errors.length, 20)
})

t.test('validation tells a stranger’s member names back only in a plain, short form', async (t) => {
  const { app } = await createTestServer(t, (scope) => {
    scope.post('/people', { schema: { body: person } }, async () => ({}))
  })
  const body = { name: 'abc', [`<b>"\u202e${'x'.repeat(100)}`]: 1 }

  const answer = await app.inject({ method: 'POST', url: '/people', payload: body })

  t.same(answer.json().errors, [
    { field: `<b>??${'x'.repeat(59)}...`, message: 'is not a member of this request' },
  ])
})

t.test('validation on an OAuth route is invalid_request that names the parameter', async (t) => {
  const { app } = await createTestServer(t, (scope) => {
    scope.post(
      '/token',
      { config: { errorFormat: 'oauth' }, schema: { body: person } },
      async () => ({}),
    )
  })

  const answer = await app.inject({ method: 'POST', url: '/token', payload: {} })

  t.equal(answer.statusCode, 400)
  t.same(answer.json(), { error: 'invalid_request', error_description: 'name is required' })
})
