import type { InjectOptions } from 'fastify'
import t from 'tap'
import type { RateLimitProfile } from '../../src/plugins/rate-limiter.ts'
import { basic, createMachine } from '../endpoints/oauth/requests.ts'
import { register, startService, type TestService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const post = (url: string, payload: object): InjectOptions => ({ method: 'POST', url, payload })
const form = (url: string, fields: Record<string, string>, headers = {}): InjectOptions => ({
  method: 'POST',
  url,
  headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  payload: new URLSearchParams(fields).toString(),
})

const login = (email: string, password = 'wrong horse'): InjectOptions =>
  post('/auth/login', { email, password })
const refresh = (token: string): InjectOptions => post('/auth/refresh', { refresh_token: token })

type Case = {
  readonly profile: RateLimitProfile
  /** Makes a request that is limited, and one that is not although the first is. */
  prepare(service: TestService): Promise<readonly [InjectOptions, InjectOptions]>
  readonly oauth?: true
}

const cases: Record<string, Case> = {
  'all that has no limit of its own, from one address': {
    profile: 'default',
    prepare: async () => [{ url: '/' }, { url: '/' }],
  },
  'addresses where nothing is, from one address': {
    profile: 'default',
    prepare: async () => [{ url: '/nowhere' }, { url: '/nowhere' }],
  },
  'sign-ins from one address': {
    profile: 'sign_in',
    prepare: async () => [login('a@example.com'), login('b@example.com')],
  },
  'sign-ins by form from one address': {
    profile: 'sign_in',
    oauth: true,
    prepare: async () => {
      const signIn = (username: string) => form('/auth/login-form', { username, password: 'x' })
      return [signIn('nobody'), signIn('somebody')]
    },
  },
  'changes of passwords from one address': {
    profile: 'sign_in',
    prepare: async () => [post('/auth/password', {}), post('/auth/password', {})],
  },
  'registrations from one address': {
    profile: 'registration',
    prepare: async () => {
      const request = post('/auth/register', { email: 'a@example.com', password: 'short' })
      return [request, request]
    },
  },
  'refreshes of one family': {
    profile: 'refresh',
    prepare: async ({ app }) => {
      const [one, other] = [await register(app), await register(app)]
      return [refresh(one.refresh_token), refresh(other.refresh_token)]
    },
  },
  'refreshes of one family by cookie': {
    profile: 'refresh',
    prepare: async ({ app }) => {
      const withCookie = async (): Promise<InjectOptions> => {
        const { refresh_token: token } = await register(app)
        const headers = { cookie: `tessera_refresh=${token}` }
        return { method: 'POST', url: '/auth/refresh', headers }
      }
      return [await withCookie(), await withCookie()]
    },
  },
  'refreshes of one family at the token endpoint': {
    profile: 'refresh',
    oauth: true,
    prepare: async ({ app }) => {
      const rest = { grant_type: 'refresh_token', client_id: 'first-party' }
      const [one, other] = [await register(app), await register(app)]
      return [
        form('/token', { ...rest, refresh_token: one.refresh_token }),
        form('/token', { ...rest, refresh_token: other.refresh_token }),
      ]
    },
  },
  'refresh tokens that nobody made, from one address': {
    profile: 'refresh',
    prepare: async () => [refresh('nonsense'), refresh('nonsense')],
  },
  'refreshes whose body nobody can read, from one address': {
    profile: 'refresh',
    prepare: async () => {
      const headers = { 'content-type': 'application/json' }
      const request: InjectOptions = { method: 'POST', url: '/refresh', headers, payload: '{' }
      return [request, request]
    },
  },
  'refresh tokens that nobody made at the token endpoint, from one address': {
    profile: 'default',
    oauth: true,
    prepare: async () => {
      const rest = { grant_type: 'refresh_token', client_id: 'first-party' }
      const request = form('/token', { ...rest, refresh_token: 'nonsense' })
      return [request, request]
    },
  },
  'tokens of one client': {
    profile: 'token',
    oauth: true,
    prepare: async ({ deps }) => {
      const [one, other] = [await createMachine(deps), await createMachine(deps)]
      const grant = { grant_type: 'client_credentials' }
      return [form('/token', grant, one.headers), form('/token', grant, other.headers)]
    },
  },
  'introspections from one address': {
    profile: 'introspection',
    oauth: true,
    prepare: async () => {
      const request = form('/introspect', { token: 'x' }, basic('a', 'b'))
      return [request, request]
    },
  },
  'the admin API from one address': {
    profile: 'admin',
    prepare: async () => [{ url: '/admin/roles' }, { url: '/admin/roles' }],
  },
}

const origin = 'https://app.example'
// What a case prepares must not be limited by another's limit.
const late = ['DEFAULT', 'REGISTRATION']
const early = ['SIGN_IN', 'REFRESH', 'TOKEN', 'INTROSPECTION', 'ADMIN']

/** Services in which all limits are the same. */
const startBoth = async (limit: string) => {
  const start = (profiles: readonly string[]) =>
    startService(t, {
      CORS_ORIGINS: origin,
      ...Object.fromEntries(profiles.map((profile) => [`RATE_LIMIT_${profile}`, limit])),
    })
  const [lateService, earlyService] = await Promise.all([start(late), start(early)])
  let places = 0

  /** The service of a case, and its requests, from two addresses that no other case has. */
  return async ({ profile, prepare }: Case) => {
    const service = late.includes(profile.toUpperCase()) ? lateService : earlyService
    const [request, other] = await prepare(service)
    places += 1
    return {
      app: service.app,
      request: { ...request, remoteAddress: `192.0.2.${places}` },
      other: { ...other, remoteAddress: `198.51.100.${places}` },
    }
  }
}

const few = await startBoth('3/60')
const brief = await startBoth('1/1')
const off = await startBoth('off')

for (const [name, each] of Object.entries(cases)) {
  const { profile, oauth = false } = each

  t.test(`limited, with the exact answer, and nobody else: ${name}`, async (t) => {
    const { app, request, other } = await few(each)
    const withOrigin = { ...request, headers: { ...request.headers, origin } }
    for (const remaining of [2, 1, 0]) {
      const { statusCode, headers } = await app.inject(request)
      t.not(statusCode, 429)
      t.match(headers['ratelimit-policy'], `"${profile}";q=3;w=60`)
      t.match(
        headers.ratelimit,
        new RegExp(`"${profile}";r=${remaining};t=(?:[1-5]?\\d|60)(?:$|,)`),
      )
      t.equal(headers['retry-after'], undefined)
    }
    const { statusCode, headers, body } = await app.inject(withOrigin)
    t.equal(statusCode, 429)
    t.match(headers.ratelimit, new RegExp(`"${profile}";r=0;t=${headers['retry-after']}(?:$|,)`))
    t.match(headers['retry-after'], /^(?:[1-5]?\d|60)$/)
    t.equal(headers['access-control-allow-origin'], origin)
    t.match(
      headers['access-control-expose-headers'],
      /\bRateLimit, RateLimit-Policy, Retry-After\b/,
    )
    t.equal(headers['cache-control'], 'no-store')
    t.equal(
      headers['content-type'],
      `application/${oauth ? 'json' : 'problem+json'}; charset=utf-8`,
    )
    const title = 'Too many requests; try again later'
    t.strictSame(
      JSON.parse(body),
      oauth
        ? { error: 'temporarily_unavailable', error_description: title }
        : {
            type: 'urn:tessera:problem:too_many_requests',
            title,
            status: 429,
            code: 'too_many_requests',
            request_id: headers['x-request-id'],
          },
    )
    t.not((await app.inject(other)).statusCode, 429, 'others go on')
  })

  t.test(`a limit that is off is neither kept nor told: ${name}`, async (t) => {
    const { app, request } = await off(each)
    for (let index = 0; index < 3; index += 1) {
      const { statusCode, headers } = await app.inject(request)
      t.not(statusCode, 429)
      t.notMatch(headers.ratelimit ?? '', profile)
    }
  })
}

t.test('when the window is over every limit lets requests pass again', async (t) => {
  const goOn = async ([name, each]: readonly [string, Case]): Promise<void> => {
    const { app, request } = await brief(each)
    const isLimited = async () => (await app.inject(request)).statusCode === 429
    await waitUntil('the limit', isLimited)
    t.ok(await waitUntil('the next window', async () => !(await isLimited())), name)
  }
  await Promise.all(Object.entries(cases).map(goOn))
})

t.test('what is exempt is neither limited nor counted', async (t) => {
  const { app } = await startService(t, { RATE_LIMIT_DEFAULT: '1/60' })
  const exempt = [
    '/health/live',
    '/health/ready',
    '/.well-known/jwks.json',
    '/.well-known/oauth-authorization-server',
    '/docs/static/swagger-ui.css',
  ]
  for (const url of [...exempt, ...exempt]) {
    const { statusCode, headers } = await app.inject({ url })
    t.equal(statusCode, 200, url)
    t.equal(headers.ratelimit, undefined)
    t.equal(headers['ratelimit-policy'], undefined)
  }
  t.equal((await app.inject({ url: '/' })).statusCode, 200)
  t.equal((await app.inject({ url: '/' })).statusCode, 429)
})

t.test(
  'of several counts under one limit the tightest is told, of several limits each',
  async (t) => {
    const service = await startService(t, { RATE_LIMIT_SIGN_IN: '5/60', RATE_LIMIT_TOKEN: '7/60' })
    const { app, deps } = service
    await app.inject(login('a@example.com'))
    await app.inject(login('a@example.com'))
    const { headers } = await app.inject(login('b@example.com'))
    t.equal(headers['ratelimit-policy'], '"sign_in";q=5;w=60')
    t.match(headers.ratelimit, /^"sign_in";r=2;t=\d+$/)

    const machine = await createMachine(deps)
    const answer = await app.inject(
      form('/token', { grant_type: 'client_credentials' }, machine.headers),
    )
    t.equal(answer.headers['ratelimit-policy'], '"default";q=1000000;w=60, "token";q=7;w=60')
    t.match(answer.headers.ratelimit, /^"default";r=\d+;t=\d+, "token";r=6;t=\d+$/)
  },
)

t.test('refused requests are counted by profile, for the metrics and in the log', async (t) => {
  const { app, deps, log } = await startService(t, { RATE_LIMIT_REGISTRATION: '1/60' })
  for (let index = 0; index < 3; index += 1) await app.inject(post('/auth/register', {}))
  const text = await deps.metrics.registry.getSingleMetricAsString('tessera_rate_limited_total')
  t.match(text, 'tessera_rate_limited_total{profile="registration"} 2')
  const reasons = log.flatMap((line) => {
    const { code, reason } = JSON.parse(line) as { code?: string; reason?: string }
    return code === 'too_many_requests' ? [reason] : []
  })
  t.strictSame(
    reasons,
    Array.from({ length: 2 }, () => 'limit registration by address'),
  )
})
