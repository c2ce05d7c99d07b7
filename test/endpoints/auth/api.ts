import type { FastifyInstance, InjectOptions } from 'fastify'
import type { Test } from 'tap'
import type { AuditEventType } from '../../../src/audit/catalogue.ts'
import { type ProblemCode, type ProblemOptions, problems } from '../../../src/oauth/problem.ts'
import { connectPostgres } from '../../../src/stores/postgres/database.ts'
import type { Authorization } from '../../../src/tokens/authorization.ts'
import { startService } from '../../support/service.ts'
import { poolOptions } from '../../support/sql-backends.ts'
import { waitUntil } from '../../support/wait-until.ts'

/** The service with a way to speak to its first-party API and to look into its database. */
export const startApi = async (t: Test, environment: Readonly<Record<string, string>> = {}) => {
  const service = await startService(t, environment)
  const db = await connectPostgres(service.databaseUrl, { ...poolOptions, size: 2 }, () => {})
  t.teardown(() => db.destroy())
  const spoken = speak(service.app)

  /** Registers somebody new. */
  const join = async (rest: object = {}) => {
    const credentials = { email: `${crypto.randomUUID()}@example.com`, password: newPassword() }
    const { status, json } = await spoken.post('/auth/register', { ...credentials, ...rest })
    if (status !== 201) throw new Error(`registration: ${JSON.stringify(json)}`)
    return { ...credentials, ...rest, ...signedIn(json) }
  }

  /** Opens a further session. */
  const signIn = async (credentials: { email: string; password: string }) => {
    const { email, password } = credentials
    const { status, json } = await spoken.post('/auth/login', { email, password })
    if (status !== 200) throw new Error(`sign-in: ${JSON.stringify(json)}`)
    return signedIn(json)
  }

  /** Whether the access token and the refresh token of a session still work. The latter is used. */
  const isAlive = async ({ token, refreshToken }: { token: string; refreshToken: string }) => {
    const { status } = await spoken.get('/auth/me', token)
    const refreshed = await spoken.post('/auth/refresh', { refresh_token: refreshToken })
    return { access: status === 200, refresh: refreshed.status === 200 }
  }

  const eventsOf = (subject: string, type: AuditEventType) =>
    db
      .selectFrom('audit_events')
      .selectAll()
      .where('subject', '=', subject)
      .where('type', '=', type)
      .execute()

  return {
    ...service,
    ...spoken,
    ...{ db, join, signIn, isAlive, eventsOf },
    /** The one event of a kind about a subject; some are written a moment after the answer. */
    eventOf: (subject: string, type: AuditEventType) =>
      waitUntil(`${type} about ${subject}`, async () => {
        const [event, ...more] = await eventsOf(subject, type)
        return more.length === 0 && event
      }),
  }
}

export type Api = Awaited<ReturnType<typeof startApi>>
export type Answer = Awaited<ReturnType<Api['get']>>

/** A password that nobody has used before. */
export const newPassword = (): string => `correct horse ${crypto.randomUUID()}`

/** Living and dead, as `isAlive` tells them. */
export const alive = { access: true, refresh: true }
export const dead = { access: false, refresh: false }

const signedIn = (json: Json) => ({
  token: json.access_token as string,
  refreshToken: json.refresh_token as string,
  id: json.user.id as string,
  user: json.user,
})

/** Requests; all answers come with their parsed body. */
const speak = (app: FastifyInstance) => {
  const request = async (options: InjectOptions) => {
    const answer = await app.inject(options)
    const json = (answer.body === '' ? undefined : answer.json()) as Json
    return { status: answer.statusCode, headers: answer.headers, body: answer.body, json }
  }
  const withToken = (token?: string) =>
    token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }
  return {
    request,
    get: (url: string, token?: string) => request({ method: 'GET', url, ...withToken(token) }),
    post: (url: string, body?: object, token?: string) =>
      request({ method: 'POST', url, ...(body && { payload: body }), ...withToken(token) }),
    patch: (url: string, body: object, token?: string) =>
      request({ method: 'PATCH', url, payload: body, ...withToken(token) }),
    delete: (url: string, token?: string) =>
      request({ method: 'DELETE', url, ...withToken(token) }),
  }
}

// biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what its test is about
type Json = any

/** By command, as operators act. */
export const byCli = { actor: 'cli', origin: {} }

/** Asserts a whole problem: status, headers, and every member of the body. */
export const isProblem = (
  t: Test,
  { status, headers, json }: Answer,
  code: ProblemCode,
  { detail, fields }: Pick<ProblemOptions, 'detail' | 'fields'> = {},
): void => {
  const [expectedStatus, title] = problems[code]
  t.equal(status, expectedStatus)
  t.strictSame(json, {
    type: `urn:tessera:problem:${code}`,
    title,
    status: expectedStatus,
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(fields === undefined ? {} : { errors: fields }),
    request_id: headers['x-request-id'],
  })
  t.equal(headers['content-type'], 'application/problem+json; charset=utf-8')
  t.equal(headers['cache-control'], 'no-store')
}

/** Asserts an answer without a body. */
export const isDone = (t: Test, { status, body, headers }: Answer): void => {
  t.equal(status, 204)
  t.equal(body, '')
  t.equal(headers['cache-control'], 'no-store')
}

/** What every endpoint that needs an access token refuses. @param send the request with a token */
export const refusedTokens = async (
  api: Api,
): Promise<
  readonly (readonly [reason: string, token: string | undefined, code: ProblemCode])[]
> => {
  const now = new Date()
  const person = await api.join()
  const ended = await api.join()
  await api.post('/auth/logout', undefined, ended.token)
  const issue = async (authorization: Partial<Authorization>): Promise<string> => {
    const { accessToken } = await api.deps.issuer.issueAccessToken({
      clientId: 'app',
      subject: person.id,
      scope: ['account'],
      audience: [api.config.issuer],
      issuedAt: now,
      ...authorization,
    })
    return accessToken
  }
  return [
    ['no token', undefined, 'missing_credentials'],
    ['text that is no token', 'nonsense', 'invalid_token'],
    ['a token with another signature', `${person.token.slice(0, -8)}AAAAAAAA`, 'invalid_token'],
    ['a refresh token', person.refreshToken, 'wrong_token_type'],
    ['an expired token', await issue({ issuedAt: new Date(0) }), 'expired_token'],
    ['a token of an ended session', ended.token, 'revoked_token'],
    [
      'a token for another audience',
      await issue({ audience: ['https://api.example'] }),
      'insufficient_scope',
    ],
    ['a token for another purpose', await issue({ scope: ['read'] }), 'insufficient_scope'],
    ["a machine's token", await issue({ subject: 'app' }), 'insufficient_scope'],
  ]
}

type Refused = readonly [
  reason: string,
  body: unknown,
  code: ProblemCode,
  options?: Pick<ProblemOptions, 'detail' | 'fields'>,
]

const lone = '\ud800'

/** What every JSON endpoint refuses, whatever its members are. @param body a good one */
export const malformedBodies = (body: Readonly<Record<string, unknown>>): Refused[] => {
  const members = Object.keys(body)
  return [
    ...members.map(
      (member): Refused => [
        `${member} of another type`,
        { ...body, [member]: 7 },
        'validation',
        { fields: [{ field: member, message: 'must be of type string' }] },
      ],
    ),
    ...members.flatMap((member) =>
      ['a\0b', `a${lone}b`].map(
        (text): Refused => [
          `${member} with text that no database can hold`,
          { ...body, [member]: text },
          'validation',
          { fields: [{ field: member, message: 'has characters that are not allowed' }] },
        ],
      ),
    ),
    [
      'a member that is unknown',
      { ...body, is_admin: true },
      'validation',
      { fields: [{ field: 'is_admin', message: 'is not a member of this request' }] },
    ],
    [
      'a list',
      [body],
      'validation',
      { fields: [{ field: 'body', message: 'must be of type object' }] },
    ],
  ]
}
