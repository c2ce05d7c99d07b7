import fc from 'fast-check'
import type { InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import { createMachine, postForm } from '../endpoints/oauth/requests.ts'
import { register, startService } from '../support/service.ts'

const post = (url: string, payload: object, rest: InjectOptions = {}): InjectOptions => ({
  ...{ method: 'POST', url, payload },
  ...rest,
})
const login = (email: string, remoteAddress: string, rest: InjectOptions = {}): InjectOptions =>
  post('/auth/login', { email, password: 'wrong horse' }, { remoteAddress, ...rest })

/** How many of the requests were answered otherwise than by a limit. */
const countPassed = async (
  app: { inject(request: InjectOptions): Promise<{ statusCode: number }> },
  requests: readonly InjectOptions[],
): Promise<number> => {
  let passed = 0
  for (const request of requests) {
    if ((await app.inject(request)).statusCode !== 429) passed += 1
  }
  return passed
}

const fromForwarded = (values: readonly string[], remoteAddress = '192.0.2.1'): InjectOptions[] =>
  values.map((value) => ({ url: '/', remoteAddress, headers: { 'x-forwarded-for': value } }))

const spoofs = [
  '203.0.113.1',
  '203.0.113.2, 203.0.113.3',
  '2001:db8::1',
  '[2001:db8::2]:443',
  '203.0.113.4:80',
  'unknown',
  '_hidden',
  '',
  ' , ,',
  '127.0.0.1',
  '10.0.0.1',
  '::ffff:203.0.113.5',
  '0x7f.1',
  '203.0.113.6, 10.0.0.1',
  'a'.repeat(5000),
  '203.0.113.7,'.repeat(500),
]

t.test('X-Forwarded-For of a stranger changes nothing', async (t) => {
  const proxies = { 'no proxies': {}, 'other proxies': { TRUSTED_PROXIES: '10.0.0.0/8,::1' } }
  for (const [name, environment] of Object.entries(proxies)) {
    const { app } = await startService(t, { RATE_LIMIT_DEFAULT: '3/60', ...environment })
    t.equal(await countPassed(app, fromForwarded(spoofs)), 3, name)
    t.equal(await countPassed(app, [{ url: '/', remoteAddress: '203.0.113.1' }]), 1)
  }
})

t.test('behind a trusted proxy what the client claims to have been changes nothing', async (t) => {
  const { app } = await startService(t, {
    RATE_LIMIT_DEFAULT: '3/60',
    TRUSTED_PROXIES: '10.0.0.0/8',
  })
  // The proxy appends who spoke to it, as the usual ones do.
  const appended = spoofs.map((spoof) => [spoof, '198.51.100.9'].join(', '))
  t.equal(await countPassed(app, fromForwarded(appended, '10.0.0.1')), 3)
  t.equal(await countPassed(app, fromForwarded(appended, '::ffff:10.0.0.2')), 0, 'IPv4 in IPv6')
  const chained = appended.map((value) => `${value}, 10.1.2.3`)
  t.equal(await countPassed(app, fromForwarded(chained, '10.0.0.1')), 0, 'two proxies')
  t.equal(await countPassed(app, fromForwarded(['198.51.100.10'], '10.0.0.1')), 1, 'others go on')
})

t.test('all addresses of an IPv6 network are one, and networks are not', async (t) => {
  const { app } = await startService(t, { RATE_LIMIT_DEFAULT: '3/60' })
  const requestsFrom = (addresses: readonly string[]): InjectOptions[] =>
    addresses.map((remoteAddress) => ({ url: '/', remoteAddress }))
  const network = [
    '2001:db8:0:1::1',
    '2001:db8:0:1:ffff::',
    '2001:DB8::1:a:b:c:d',
    '2001:db8:0:1::2',
  ]
  t.equal(await countPassed(app, requestsFrom([...network, ...network])), 3)
  t.equal(await countPassed(app, requestsFrom(['2001:db8:0:2::1'])), 1)
  const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4']
  t.equal(await countPassed(app, requestsFrom(addresses)), 4, 'IPv4 counts by address')
  t.equal(
    await countPassed(app, requestsFrom(['192.0.2.5', '::ffff:192.0.2.5', '::ffff:c000:205'])),
    3,
  )
  t.equal(await countPassed(app, requestsFrom(['192.0.2.5'])), 0, 'however it is spelled')
})

t.test(
  'guessing from many addresses counts as one for the account, however it is spelled',
  async (t) => {
    const { app } = await startService(t, {
      RATE_LIMIT_SIGN_IN: '4/60',
      MAX_LOGIN_ATTEMPTS: '1000',
    })
    const known = await register(app, 'jo@example.com')
    const spellings = (name: string): string[] => [
      name,
      name.toUpperCase(),
      ` ${name} `,
      name.replace('o', 'O'),
      name.replace('e', '\uff45'),
      name,
      `\t${name}`,
    ]
    let place = 0
    const guesses = (name: string) =>
      spellings(name).map((spelling) => {
        place += 1
        return login(spelling, `192.0.2.${place}`)
      })
    t.equal(await countPassed(app, guesses(known.email)), 4)
    t.equal(await countPassed(app, guesses('nobody@example.com')), 4, 'an unknown one likewise')
  },
)

t.test(
  'a limited sign-in tells nothing of the account, nor whether the password was right',
  async (t) => {
    const { app } = await startService(t, { RATE_LIMIT_SIGN_IN: '1/60' })
    const known = await register(app)
    const answer = async (email: string, password: string, place: number) => {
      const payload = { email, password }
      const { statusCode, headers, body } = await app.inject(
        post('/auth/login', payload, { remoteAddress: `192.0.2.${place}` }),
      )
      const { 'x-request-id': id, date, ratelimit, 'retry-after': retryAfter, ...rest } = headers
      t.ok(id && date && ratelimit && retryAfter)
      return { statusCode, rest, body: body.replace(String(id), '') }
    }
    await app.inject(login(known.email, '192.0.2.10'))
    await app.inject(login('nobody@example.com', '192.0.2.11'))
    const right = await answer(known.email, known.password, 2)
    t.equal(right.statusCode, 429)
    t.strictSame(await answer(known.email, 'wrong horse', 3), right)
    t.strictSame(await answer('nobody@example.com', 'wrong horse', 4), right)
  },
)

t.test('strangers at an account do not use up what a device has that it knows', async (t) => {
  const { app } = await startService(t, { RATE_LIMIT_SIGN_IN: '3/60', MAX_LOGIN_ATTEMPTS: '1000' })
  const { email, password } = await register(app)
  const signIn = (remoteAddress: string, cookie = '') =>
    app.inject(post('/auth/login', { email, password }, { remoteAddress, headers: { cookie } }))
  const first = await signIn('192.0.2.1')
  t.equal(first.statusCode, 200)
  const device = first.cookies.find(({ name }) => name.includes('device'))
  t.ok(device)
  const guesses = Array.from({ length: 9 }, (_, index) => login(email, `198.51.100.${index}`))
  t.equal(await countPassed(app, guesses), 2)
  t.equal((await signIn('192.0.2.2')).statusCode, 429, 'a device that is not known')
  const cookie = `${device?.name}=${device?.value}`
  t.equal((await signIn('192.0.2.3', cookie)).statusCode, 200, 'the one that is')
})

const isLeftAlone = async (t: Test, act: () => Promise<{ statusCode: number }>): Promise<void> => {
  t.equal((await act()).statusCode, 200)
}

t.test("strangers do not use up a client's limit", async (t) => {
  const { app, deps } = await startService(t, { RATE_LIMIT_TOKEN: '3/60' })
  const { id, headers } = await createMachine(deps)
  const grant = { grant_type: 'client_credentials' }
  for (let index = 0; index < 10; index += 1) {
    await postForm(app, '/token', { ...grant, client_id: id, client_secret: 'guess' })
    await postForm(app, '/token', { ...grant, client_id: id })
  }
  await isLeftAlone(t, () => postForm(app, '/token', grant, headers))
})

t.test("strangers do not use up a family's limit", async (t) => {
  const { app } = await startService(t, { RATE_LIMIT_REFRESH: '3/60' })
  const { refresh_token: token } = await register(app)
  const refresh = (refreshToken: string, remoteAddress: string) =>
    app.inject(post('/auth/refresh', { refresh_token: refreshToken }, { remoteAddress }))
  // The right family, and a MAC that is not ours.
  const last = token.at(-1) === 'A' ? 'B' : 'A'
  const forged = token.slice(0, -1) + last
  for (let index = 0; index < 10; index += 1) await refresh(forged, '192.0.2.1')
  t.equal((await refresh(forged, '192.0.2.1')).statusCode, 429)
  await isLeftAlone(t, () => refresh(token, '192.0.2.2'))
})

t.test('refreshes at once count as one only where they are the same, and only then', async (t) => {
  const start = async () => {
    const { app } = await startService(t, { RATE_LIMIT_REFRESH: '3/60' })
    const { refresh_token: token } = await register(app)
    const body = { refresh_token: token }
    const passes = async (requests: readonly InjectOptions[]): Promise<number> =>
      (await Promise.all(requests.map((request) => app.inject(request)))).filter(
        ({ statusCode }) => statusCode !== 429,
      ).length
    const times = (make: (index: number) => InjectOptions) =>
      Array.from({ length: 20 }, (_, index) => make(index))
    return { app, body, passes, times }
  }
  const various: Record<string, (index: number, body: object) => InjectOptions> = {
    'user agents': (index, body) =>
      post('/auth/refresh', body, { headers: { 'user-agent': `agent ${index}` } }),
    addresses: (index, body) => post('/auth/refresh', body, { remoteAddress: `192.0.${index}.1` }),
    bodies: (index, body) => post('/auth/refresh', { ...body, cookies: false, index }),
    cookies: (index, body) =>
      post('/auth/refresh', body, { headers: { cookie: `visit=${index}` } }),
    scopes: (index, body) => {
      const form = { ...body, grant_type: 'refresh_token', client_id: 'first-party' }
      return {
        ...{ method: 'POST', url: '/token' },
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams({ ...form, scope: `s${index}` }).toString(),
      }
    },
  }
  for (const [name, make] of Object.entries(various)) {
    const { body, passes, times } = await start()
    t.equal(await passes(times((index) => make(index, body))), 3, name)
  }
  const { app, body, passes, times } = await start()
  const same = times(() => post('/auth/refresh', body))
  for (const round of [1, 2, 3]) t.equal(await passes(same), 20, `round ${round}`)
  t.equal(await passes(same), 0, 'what is over is over for all who ask the same')
  t.equal(await countPassed(app, same), 0)
})

t.test('a limited request has nothing done for it', async (t) => {
  const { app, deps, log } = await startService(t, { RATE_LIMIT_SIGN_IN: '1/60' })
  const { email, password } = await register(app)
  await app.inject(post('/auth/login', { email, password }))
  await deps.auditWriter.close()
  const begin = process.cpuUsage()
  const before = log.length
  for (let index = 0; index < 200; index += 1) {
    const { statusCode } = await app.inject(post('/auth/login', { email, password }))
    t.equal(statusCode, 429)
  }
  const { user, system } = process.cpuUsage(begin)
  t.ok((user + system) / 1000 / 200 < 5, 'less than a tenth of what a password takes')
  t.equal(log.length - before, 200, 'one line each')
})

t.test('malformed bodies are limited too', async (t) => {
  const { app } = await startService(t, { RATE_LIMIT_SIGN_IN: '3/60' })
  const bodies = ['{', 'null', '[]', '{"email":{}}', '{"email":7}', '{"__proto__":1}', '""']
  const requests = bodies.map(
    (payload): InjectOptions => ({
      ...{ method: 'POST', url: '/auth/login', payload },
      headers: { 'content-type': 'application/json' },
    }),
  )
  t.equal(await countPassed(app, requests), 3)
})

t.test('a refresh that nobody can read counts by address, and no family pays for it', async (t) => {
  const { app } = await startService(t, { RATE_LIMIT_REFRESH: '3/60', BODY_LIMIT_BYTES: '1024' })
  const { refresh_token: token } = await register(app)
  const json = 'application/json'
  const unreadable: readonly (readonly [string, string | Buffer])[] = [
    [json, '{'],
    [json, '{"__proto__":1}'],
    [json, Buffer.from([0x22, 0xff, 0x22])],
    [json, '['.repeat(40) + ']'.repeat(40)],
    [json, JSON.stringify({ refresh_token: '\u0000' })],
    [json, JSON.stringify({ refresh_token: 'a'.repeat(2000) })],
    ['text/plain', 'refresh_token'],
    ['application/x-www-form-urlencoded', 'refresh_token=x'],
  ]
  for (const url of ['/auth/refresh', '/refresh']) {
    for (const [index, [type, payload]] of unreadable.entries()) {
      const remoteAddress = `192.0.2.${index}`
      const request = post(url, {}, { remoteAddress, payload, headers: { 'content-type': type } })
      const passed = url === '/refresh' ? 0 : 3
      t.equal(await countPassed(app, [request, request, request, request]), passed, `${payload}`)
    }
  }
  const remoteAddress = '192.0.2.0'
  const answer = await app.inject(post('/refresh', { refresh_token: token }, { remoteAddress }))
  t.equal(answer.statusCode, 200, 'from the same address too')
})

t.test('no body whatever makes the count fail', async (t) => {
  const { app } = await startService(t)
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('/auth/login', '/auth/refresh', '/token', '/auth/login-form'),
      fc.constantFrom('application/json', 'application/x-www-form-urlencoded'),
      fc.oneof(
        fc.json(),
        fc.string(),
        fc
          .dictionary(fc.constantFrom('email', 'username', 'refresh_token'), fc.jsonValue())
          .map((value) => JSON.stringify(value)),
      ),
      async (url, type, payload) => {
        const answer = await app.inject({
          ...{ method: 'POST', url, payload },
          headers: { 'content-type': type },
        })
        t.ok(answer.statusCode < 500, `${answer.statusCode} for ${payload}`)
      },
    ),
    { numRuns: 200 },
  )
})
