import t from 'tap'
import { startService } from '../../support/service.ts'
import {
  basic,
  basicChallenge,
  createMachine,
  type Form,
  oauthError,
  outcomeOf,
  postForm,
  unauthenticated,
} from './requests.ts'

const { app, deps } = await startService(t)
const machine = await createMachine(deps, {
  scope: ['read', 'write'],
  audience: ['https://a.example', 'https://b.example'],
})
const grantless = await createMachine(deps, { grantTypes: [] })
const refresher = await createMachine(deps, { grantTypes: ['refresh_token'] })
const post = (form: Form, headers: Readonly<Record<string, string>> = machine.headers) =>
  postForm(app, '/token', form, headers)
const credentials = { grant_type: 'client_credentials' } as const

t.test('the request that is spoiled below is good', async (t) => {
  t.equal((await post(credentials)).statusCode, 200)
})

type Refused = [
  form: Form,
  expected: ReturnType<typeof oauthError>,
  headers?: Record<string, string>,
]

const bad = (description: string) => oauthError(400, 'invalid_request', description)
const badScope = (description: string) => oauthError(400, 'invalid_scope', description)
const badTarget = oauthError(400, 'invalid_target', 'The client may not ask for this resource')
const notAllowed = oauthError(
  400,
  'unauthorized_client',
  'The client is not registered for this grant_type',
)
const malformedScope = badScope('The scope is malformed')
const wideScope = badScope('The scope is beyond what the client may be granted')
const unknownToken = oauthError(400, 'invalid_grant', 'The refresh token is not valid', {
  code: 'unknown',
})

const refused: Record<string, Refused> = {
  'without a grant_type': [{}, bad('grant_type is required')],
  'with an empty grant_type': [{ grant_type: '' }, bad('grant_type is required')],
  'with an unknown grant_type': [
    { grant_type: 'password' },
    oauthError(400, 'unsupported_grant_type', 'The grant_type is not supported'),
  ],
  'with a grant_type that is a name of the language': [
    { grant_type: '__proto__' },
    oauthError(400, 'unsupported_grant_type', 'The grant_type is not supported'),
  ],
  'with a repeated grant_type': [
    'grant_type=client_credentials&grant_type=client_credentials',
    bad('grant_type must not be repeated'),
  ],
  'with a repeated unknown parameter': [
    { ...credentials, x: ['1', '2'] },
    bad('x must not be repeated'),
  ],
  'with a repeated scope': [
    { ...credentials, scope: ['read', 'read'] },
    bad('scope must not be repeated'),
  ],
  'without any grant of the client': [credentials, notAllowed, grantless.headers],
  'with a grant the client is not registered for': [
    { grant_type: 'refresh_token', refresh_token: 'x' },
    notAllowed,
  ],
  'of a public client for client_credentials': [
    { ...credentials, client_id: 'first-party' },
    notAllowed,
    {},
  ],
  'with a scope beyond the client': [{ ...credentials, scope: 'read delete' }, wideScope],
  'with a scope in other letters': [{ ...credentials, scope: 'READ' }, wideScope],
  'with a scope of spaces': [{ ...credentials, scope: '  ' }, malformedScope],
  'with a quote in the scope': [{ ...credentials, scope: 'read "x"' }, malformedScope],
  'with a scope that is not ASCII': [{ ...credentials, scope: 'réad' }, malformedScope],
  'with an unknown resource': [{ ...credentials, resource: 'https://c.example' }, badTarget],
  'with a resource among allowed ones': [
    { ...credentials, resource: ['https://a.example', 'https://c.example'] },
    badTarget,
  ],
  'with a resource that has a fragment': [
    { ...credentials, resource: 'https://a.example#x' },
    badTarget,
  ],
  'with a resource that is nearly the same': [
    { ...credentials, resource: 'https://a.example/' },
    badTarget,
  ],
  'without a refresh_token': [
    { grant_type: 'refresh_token' },
    bad('refresh_token is required'),
    refresher.headers,
  ],
  'with a refresh_token that is none': [
    { grant_type: 'refresh_token', refresh_token: 'x' },
    unknownToken,
    refresher.headers,
  ],
  'without a client': [credentials, unauthenticated(), {}],
  'of an unknown client': [credentials, unauthenticated(basicChallenge), basic('nobody', 'x')],
  'with a wrong secret': [credentials, unauthenticated(basicChallenge), basic(machine.id, 'x')],
  'with a wrong secret and a wrong grant_type': [
    { grant_type: 'x' },
    unauthenticated(basicChallenge),
    basic(machine.id, 'x'),
  ],
  'with two ways of client authentication': [
    { ...credentials, client_id: machine.id, client_secret: machine.secret },
    bad('Only one way of client authentication is allowed'),
  ],
  'with NUL in a value': [
    'grant_type=client_credentials&scope=%00',
    bad('The form is not valid UTF-8 text'),
  ],
  'with bytes that are not UTF-8': [
    'grant_type=client_credentials&scope=%ff',
    bad('The form is not valid UTF-8 text'),
  ],
  'that is not a form': [
    '{"grant_type":"client_credentials"}',
    { ...bad('The content type is not supported'), status: 415 },
    { ...machine.headers, 'content-type': 'application/json' },
  ],
  'that is too large': [
    `grant_type=client_credentials&x=${'x'.repeat(70_000)}`,
    { ...bad('The body is too large'), status: 413 },
  ],
}

for (const [what, [form, expected, headers]] of Object.entries(refused)) {
  t.test(`a token request is refused ${what}`, async (t) => {
    t.strictSame(outcomeOf(await post(form, headers)), expected)
  })
}

t.test('a token request by GET is told which method there is', async (t) => {
  const answer = await app.inject({ method: 'GET', url: '/token' })
  t.equal(answer.statusCode, 405)
  t.equal(answer.headers.allow, 'POST')
})
