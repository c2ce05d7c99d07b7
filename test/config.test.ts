import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import fc from 'fast-check'
import t from 'tap'
import { ConfigError, environmentSchema, loadConfig } from '../src/config.ts'
import { environmentExample } from './support/configuration-text.ts'

type Variables = Record<string, string>

const key = (byte: number): string => Buffer.alloc(32, byte).toString('base64')

const noFile = (): never => {
  throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
}

const load = (variables: Variables, readFile: (path: string) => string = noFile) =>
  loadConfig(variables, readFile)

const problemsOf = (variables: Variables, readFile?: (path: string) => string) => {
  try {
    load(variables, readFile)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

const production: Variables = {
  NODE_ENV: 'production',
  ISSUER: 'https://auth.example.com',
  DATABASE_URL: 'postgres://u:p@db/tessera',
  KEY_ENCRYPTION_KEY: key(1),
}

const redisSentence =
  'REDIS_URL must be a redis://, rediss://, redis-sentinel:// or redis-cluster:// URL, each host with a port from 1 to 65535 or none, credentials percent-encoded'
const webhookSecret = `whsec_${key(3)}`
const webhookUrl =
  'ALERT_WEBHOOK_URL must be an https URL without credentials or fragment; away from production it may be http on this machine'

t.test('an empty environment gives the defaults of the embedded mode', async (t) => {
  t.same(load({}), {
    port: 4000,
    host: '127.0.0.1',
    workers: 1,
    metricsHost: '127.0.0.1',
    migrateOnStart: true,
    dataDir: 'data',
    keyRotationDays: 30,
    accessTokenTtlSeconds: 900,
    refreshTokenTtlSeconds: 30 * 24 * 3600,
    refreshIdleSeconds: 7 * 24 * 3600,
    refreshGraceSeconds: 30,
    dpopNonces: 'tokens',
    registration: 'open',
    clientRegistration: 'token',
    clientRegistrationScopes: 'openid profile email offline_access',
    sessionsPerUser: 100,
    userPurgeDays: 30,
    requirePushedAuthorizationRequests: false,
    sessionCookies: false,
    maxLoginAttempts: 5,
    lockoutSeconds: 1800,
    passwordHashMemoryKib: 19 * 1024,
    passwordHashTimeCost: 2,
    passwordHashParallelism: 1,
    passwordHashConcurrency: 0,
    passwordHashQueueLimit: 64,
    rsaModulusBits: 3072,
    databasePoolSize: 10,
    databaseConnectTimeoutMs: 3000,
    databaseStatementTimeoutMs: 5000,
    databaseLockTimeoutMs: 1000,
    redisCommandTimeoutMs: 100,
    requestTimeoutMs: 15_000,
    shutdownDelayMs: 0,
    shutdownTimeoutMs: 10_000,
    bodyLimitBytes: 64 * 1024,
    auditRetentionDays: 365,
    alertWebhookKeys: [],
    logLevel: 'info',
    issuer: 'http://localhost:4000',
    defaultAudience: 'http://localhost:4000',
    corsOrigins: [],
    trustedProxies: [],
    outboundAllowedHosts: [],
    outboundPrivateHosts: [],
    clientSecretJwt: false,
    clientCertificateAuthorities: [],
    keyEncryptionKeys: [],
    production: false,
    overloadEventLoopDelayMs: 1000,
    overloadRequests: 1000,
    rateLimits: {
      default: { points: 6000, seconds: 60 },
      sign_in: { points: 30, seconds: 60 },
      registration: { points: 30, seconds: 300 },
      refresh: { points: 20, seconds: 10 },
      token: { points: 1200, seconds: 60 },
      introspection: { points: 6000, seconds: 60 },
      user_code: { points: 30, seconds: 300 },
      user_codes: { points: 600, seconds: 60 },
      admin: { points: 600, seconds: 60 },
    },
  })
})

t.test('the configuration cannot be changed', async (t) => {
  t.throws(() => Object.assign(load({}), { port: 1 }), TypeError)
})

t.test('WORKERS=auto is one process a core', async (t) => {
  t.equal(load({ ...production, WORKERS: 'auto' }).workers, availableParallelism())
  t.equal(load({ ...production, WORKERS: '3' }).workers, 3)
})

t.test('values are read by their type, white space aside', async (t) => {
  const config = load({
    PORT: ' 8080\n',
    MIGRATE_ON_START: '0',
    REGISTRATION: 'closed',
    CORS_ORIGINS: ' https://a.example , http://localhost:3000,',
    TRUSTED_PROXIES: '10.0.0.0/8,::1',
    KEY_ENCRYPTION_KEY: `${key(2)}, ${key(1)}`,
  })
  t.match(config, {
    port: 8080,
    issuer: 'http://localhost:8080',
    migrateOnStart: false,
    registration: 'closed',
    corsOrigins: ['https://a.example', 'http://localhost:3000'],
    trustedProxies: ['10.0.0.0/8', '::1'],
  })
  t.same(config.keyEncryptionKeys, [Buffer.alloc(32, 2), Buffer.alloc(32, 1)])
})

t.test('a rate limit is so many points in so many seconds, or off', async (t) => {
  const { rateLimits } = load({
    RATE_LIMIT_DEFAULT: 'off',
    RATE_LIMIT_SIGN_IN: ' 10/60 ',
    RATE_LIMIT_TOKEN: '9999999/86400',
  })
  t.equal(rateLimits.default, undefined)
  t.same(rateLimits.sign_in, { points: 10, seconds: 60 })
  t.same(rateLimits.token, { points: 9_999_999, seconds: 86_400 })
})

t.test('every rate limit that is wrong is named, all at once', async (t) => {
  const wrong = [
    '0/60',
    '10',
    '10/0',
    '10/86401',
    '-1/60',
    '1.5/60',
    '1e3/60',
    '10 / 60',
    '/',
    'OFF',
  ]
  for (const text of wrong) {
    t.same(problemsOf({ RATE_LIMIT_SIGN_IN: text, RATE_LIMIT_ADMIN: text }), [
      'RATE_LIMIT_SIGN_IN must be points/seconds such as 10/60, at most 9999999 points and 86400 seconds, or off',
      'RATE_LIMIT_ADMIN must be points/seconds such as 10/60, at most 9999999 points and 86400 seconds, or off',
    ])
  }
})

const single = { kind: 'single', tls: false, database: 0, masterName: '' }
const redisServers: Record<string, object> = {
  'redis://localhost': { ...single, nodes: [{ host: 'localhost', port: 6379 }] },
  'rediss://us%40er:p%3Aw%25@[::1]:7000/3': {
    ...{ ...single, tls: true, database: 3, username: 'us@er', password: 'p:w%' },
    nodes: [{ host: '::1', port: 7000 }],
  },
  'redis://password@localhost/': {
    ...{ ...single, password: 'password' },
    nodes: [{ host: 'localhost', port: 6379 }],
  },
  'redis-sentinel://a,[::1]:7001': {
    ...{ ...single, kind: 'sentinel', masterName: 'mymaster' },
    nodes: [
      { host: 'a', port: 26_379 },
      { host: '::1', port: 7001 },
    ],
  },
  'redis-sentinel://user:pa:ss@a/the%20main': {
    ...{ ...single, kind: 'sentinel', masterName: 'the main', username: 'user', password: 'pa:ss' },
    nodes: [{ host: 'a', port: 26_379 }],
  },
  'redis-cluster://user:p%2Fw@a:7000,b/0': {
    ...{ ...single, kind: 'cluster', username: 'user', password: 'p/w' },
    nodes: [
      { host: 'a', port: 7000 },
      { host: 'b', port: 6379 },
    ],
  },
}

for (const [REDIS_URL, servers] of Object.entries(redisServers)) {
  t.test(`of a Redis every node and the credentials are read: ${REDIS_URL}`, async (t) => {
    t.strictSame(load({ REDIS_URL }).redisServers, servers)
  })
}

t.test('alerts are signed with every secret that is named, the newest first', async (t) => {
  const { alertWebhookUrl, alertWebhookKeys } = load({
    ALERT_WEBHOOK_URL: 'http://[::1]:9000/hook?a=b',
    ALERT_WEBHOOK_SECRET: `whsec_${key(3)}, whsec_${key(4)}`,
  })
  t.equal(alertWebhookUrl, 'http://[::1]:9000/hook?a=b')
  t.same(alertWebhookKeys, [Buffer.alloc(32, 3), Buffer.alloc(32, 4)])
})

t.test('an empty or blank variable counts as unset', async (t) => {
  t.same(load({ PORT: '', ISSUER: '  ', DATABASE_URL: '', LOG_LEVEL: '\n' }), load({}))
})

t.test('the default audience follows the issuer, and is set apart from it', async (t) => {
  t.equal(load({ ISSUER: 'https://a.example/auth' }).defaultAudience, 'https://a.example/auth')
  t.equal(load({ DEFAULT_AUDIENCE: 'https://api.example' }).defaultAudience, 'https://api.example')
})

t.test('the default issuer on port 80 is spelled without the port', async (t) => {
  t.equal(load({ PORT: '80' }).issuer, 'http://localhost')
})

t.test('key-encryption keys are read from the file that is named', async (t) => {
  const config = load({ KEY_ENCRYPTION_KEY_FILE: '/run/key' }, (path) =>
    path === '/run/key' ? `${key(3)}\n` : noFile(),
  )
  t.same(config.keyEncryptionKeys, [Buffer.alloc(32, 3)])
})

t.test('production starts with an https issuer, a database and a key', async (t) => {
  t.match(load(production), { production: true, issuer: 'https://auth.example.com' })
})

t.test('away from production, by whichever name, nothing but defaults is needed', async (t) => {
  for (const NODE_ENV of ['development', 'test', '']) t.same(load({ NODE_ENV }), load({}))
})

t.test('production names all that is missing at once, beside what is wrong', async (t) => {
  t.same(problemsOf({ NODE_ENV: 'production', PORT: 'http', REDIS_URL: 'localhost' }), [
    'PORT must be a whole number from 0 to 65535',
    'ISSUER is required in production: the public https URL of this service',
    'DATABASE_URL is required in production: postgres://user:password@host/database',
    redisSentence,
    'KEY_ENCRYPTION_KEY or KEY_ENCRYPTION_KEY_FILE is required in production: 32 random bytes in base64 (openssl rand -base64 32)',
  ])
})

t.test('the message of the error lists all problems', async (t) => {
  t.throws(() => load({ PORT: 'x', LOG_LEVEL: 'loud' }), {
    name: 'ConfigError',
    message:
      'The configuration is not usable:\n' +
      '  - PORT must be a whole number from 0 to 65535\n' +
      '  - LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent',
  })
})

const issuerSentence =
  'ISSUER must be an http or https URL in its plain spelling: no query, fragment, credentials or slash at the end, the host in lower case, no default port'
const keySentence = (name: string) =>
  `${name} must hold 32 bytes in base64, several separated by commas`

const mtls = { CLIENT_CERTIFICATE_HEADER: 'Client-Cert', TRUSTED_PROXIES: '10.0.0.0/8' }
const mtlsSentence =
  'MTLS_ORIGIN must be an https origin without a path: https://mtls.auth.example.com'

const broken: Record<string, { variables: Variables; problem: string }> = {
  'a number that is none': {
    variables: { PORT: '4000x' },
    problem: 'PORT must be a whole number from 0 to 65535',
  },
  'a number below its range': {
    variables: { BODY_LIMIT_BYTES: '10' },
    problem: 'BODY_LIMIT_BYTES must be a whole number from 1024 to 10485760',
  },
  'a number above its range': {
    variables: { REFRESH_GRACE_SECONDS: '601' },
    problem: 'REFRESH_GRACE_SECONDS must be a whole number from 0 to 600',
  },
  'a fraction': {
    variables: { ACCESS_TOKEN_TTL_SECONDS: '1.5' },
    problem: 'ACCESS_TOKEN_TTL_SECONDS must be a whole number from 1 to 86400',
  },
  'a truth value that is none': {
    variables: { MIGRATE_ON_START: 'yes' },
    problem: 'MIGRATE_ON_START must be true or false',
  },
  'a word that is not offered': {
    variables: { REGISTRATION: 'maybe' },
    problem: 'REGISTRATION must be one of open, closed',
  },
  ...Object.fromEntries(
    [
      'auth.example.com',
      'ftp://auth.example.com',
      'https://auth.example.com/',
      'https://auth.example.com/a/',
      'https://auth.example.com?a=b',
      'https://auth.example.com?',
      'https://auth.example.com#a',
      'https://user:pass@auth.example.com',
      'https://AUTH.example.com',
      'https://auth.example.com:443',
      'https://auth.example.com/a b',
      'https://auth.example.com/"',
    ].map((ISSUER) => [`the issuer ${ISSUER}`, { variables: { ISSUER }, problem: issuerSentence }]),
  ),
  'an http issuer in production': {
    variables: { ...production, ISSUER: 'http://auth.example.com' },
    problem: 'ISSUER must be https in production',
  },
  'a free port without an issuer': {
    variables: { PORT: '0' },
    problem: 'ISSUER is required with PORT=0: its default would name a port that is not known yet',
  },
  ...Object.fromEntries(
    ['0', '257', 'many', '-1', '1.5', 'AUTO'].map((WORKERS) => [
      `${WORKERS} workers`,
      {
        variables: { ...production, WORKERS },
        problem: 'WORKERS must be a whole number from 1 to 256, or auto',
      },
    ]),
  ),
  'several workers in the embedded mode': {
    variables: { WORKERS: '2' },
    problem:
      'WORKERS must be 1 in the embedded mode, whose data belong to one process: set DATABASE_URL, or leave WORKERS out',
  },
  'metrics on the public port': {
    variables: { PORT: '8080', METRICS_PORT: '8080' },
    problem: 'METRICS_PORT must differ from PORT: metrics are not for the public',
  },
  'a port of metrics that is none': {
    variables: { METRICS_PORT: '70000' },
    problem: 'METRICS_PORT must be a whole number from 0 to 65535',
  },
  'a collector of traces without a scheme': {
    variables: { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' },
    problem: 'OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https URL',
  },
  ...Object.fromEntries(
    ['com', 'other.example', 'ssues.example.com', '.example.com', 'Example.com', 'a b.com'].map(
      (COOKIE_DOMAIN) => [
        `cookies for ${COOKIE_DOMAIN}`,
        {
          variables: { ISSUER: 'https://issues.example.com', COOKIE_DOMAIN },
          problem:
            'COOKIE_DOMAIN must be the host of ISSUER or a domain above it, of at least two labels',
        },
      ],
    ),
  ),
  ...Object.fromEntries(
    ['Production', 'prod', 'PRODUCTION', 'staging', 'production,'].map((NODE_ENV) => [
      `the environment ${NODE_ENV}`,
      {
        variables: { NODE_ENV },
        problem: 'NODE_ENV must be one of production, development, test',
      },
    ]),
  ),
  'a database of another kind': {
    variables: { DATABASE_URL: 'mysql://u:p@db/x' },
    problem: 'DATABASE_URL must be a postgres:// URL',
  },
  'a direct connection of another kind': {
    variables: { ...production, DATABASE_DIRECT_URL: 'db:5432' },
    problem: 'DATABASE_DIRECT_URL must be a postgres:// URL',
  },
  'a direct connection alone': {
    variables: { DATABASE_DIRECT_URL: 'postgres://u:p@db/x' },
    problem: 'DATABASE_DIRECT_URL is of use only beside DATABASE_URL',
  },
  ...Object.fromEntries(
    [
      'http://localhost:6379',
      'redis://',
      'redis:///0',
      'redis://localhost:notaport',
      'redis://:pw@localhost:99999',
      'redis://localhost:0',
      'redis://[::1',
      'redis://one,two',
      'redis://localhost/first',
      'redis://localhost/0?family=6',
      'redis://localhost#0',
      'redis://:100%@localhost',
      'redis://user:@localhost',
      'rediss://local host',
      'redis-sentinel://host:x,/name',
      'redis-sentinel://host/%',
      'redis-sentinel://',
      'redis-cluster://,',
      'redis-cluster://host,',
      'redis-cluster://host:6379,host:70000',
      'redis-cluster://host/1',
    ].map((REDIS_URL) => [
      `the Redis ${REDIS_URL}`,
      { variables: { REDIS_URL }, problem: redisSentence },
    ]),
  ),
  'a key-encryption key of 16 bytes': {
    variables: { KEY_ENCRYPTION_KEY: Buffer.alloc(16).toString('base64') },
    problem: keySentence('KEY_ENCRYPTION_KEY'),
  },
  'a second key-encryption key that is none': {
    variables: { KEY_ENCRYPTION_KEY: `${key(1)},${'!'.repeat(43)}` },
    problem: keySentence('KEY_ENCRYPTION_KEY'),
  },
  'a key-encryption key of commas alone': {
    variables: { KEY_ENCRYPTION_KEY: ',' },
    problem: keySentence('KEY_ENCRYPTION_KEY'),
  },
  'a key file that cannot be read': {
    variables: { KEY_ENCRYPTION_KEY_FILE: '/nowhere' },
    problem: 'KEY_ENCRYPTION_KEY_FILE names a file that cannot be read (ENOENT)',
  },
  'two sources of key-encryption keys': {
    variables: { KEY_ENCRYPTION_KEY: key(1), KEY_ENCRYPTION_KEY_FILE: '/run/key' },
    problem: 'KEY_ENCRYPTION_KEY and KEY_ENCRYPTION_KEY_FILE exclude each other',
  },
  ...Object.fromEntries(
    ['openid admin', 'account', 'password', '"openid"'].map((scopes) => [
      `the scopes ${scopes} for clients that register themselves`,
      {
        variables: { CLIENT_REGISTRATION_SCOPES: scopes },
        problem:
          'CLIENT_REGISTRATION_SCOPES must be scopes with a space between them, without account, admin and password',
      },
    ]),
  ),
  ...Object.fromEntries(
    [
      'https://a.example/',
      'a.example',
      '*',
      'https://A.example',
      'null',
      'https://a.example/x',
    ].map((origin) => [
      `the origin ${origin}`,
      {
        variables: { CORS_ORIGINS: `https://ok.example,${origin}` },
        problem: 'CORS_ORIGINS must be origins such as https://app.example.com, without a path',
      },
    ]),
  ),
  ...Object.fromEntries(
    ['proxy', '10.0.0.0/33', '::1/129', '10.0.0.0/8/8', '10.0.0.0/', 'true'].map((range) => [
      `the trusted proxy ${range}`,
      {
        variables: { TRUSTED_PROXIES: range },
        problem: 'TRUSTED_PROXIES must be IP addresses or CIDR ranges',
      },
    ]),
  ),
  ...Object.fromEntries(
    ['Authorization', 'Cookie', 'X-Forwarded-For', 'two words', 'x'.repeat(65)].map((name) => [
      `the header of certificates ${name}`,
      {
        variables: { ...mtls, CLIENT_CERTIFICATE_HEADER: name },
        problem:
          'CLIENT_CERTIFICATE_HEADER must be the name of a header that has no other use, such as Client-Cert',
      },
    ]),
  ),
  'certificates without a proxy that is trusted': {
    variables: { CLIENT_CERTIFICATE_HEADER: 'Client-Cert' },
    problem:
      'CLIENT_CERTIFICATE_HEADER needs TRUSTED_PROXIES: only their word about certificates counts',
  },
  'authorities that cannot be read': {
    variables: { ...mtls, CLIENT_CERTIFICATE_AUTHORITIES_FILE: 'nowhere.pem' },
    problem:
      'CLIENT_CERTIFICATE_AUTHORITIES_FILE must name a file of PEM certificates of authorities',
  },
  ...Object.fromEntries(
    ['OUTBOUND_ALLOWED_HOSTS', 'OUTBOUND_PRIVATE_HOSTS'].flatMap((name) =>
      ['https://example.com', 'example.com:443', '*', '*.', 'EXAMPLE.com', '.com'].map((host) => [
        `${name} ${host}`,
        {
          variables: { [name]: host },
          problem: `${name} must be host names without port, in lower case, or *. and such a name`,
        },
      ]),
    ),
  ),
  'an audience with a fragment': {
    variables: { DEFAULT_AUDIENCE: 'https://api.example#a' },
    problem: 'DEFAULT_AUDIENCE must be a URI without a fragment, or a plain name',
  },
  'an audience that cannot stand in a token': {
    variables: { DEFAULT_AUDIENCE: 'two words' },
    problem: 'DEFAULT_AUDIENCE must be a URI without a fragment, or a plain name',
  },
  ...Object.fromEntries(
    [
      'hooks.example',
      'ftp://hooks.example/',
      'http://hooks.example/',
      'http://10.0.0.1/',
      'http://127.0.0.1.hooks.example/',
      'https://user:password@hooks.example/',
      'https://hooks.example/#alerts',
    ].map((ALERT_WEBHOOK_URL) => [
      `alerts to ${ALERT_WEBHOOK_URL}`,
      {
        variables: { ALERT_WEBHOOK_URL, ALERT_WEBHOOK_SECRET: webhookSecret },
        problem: webhookUrl,
      },
    ]),
  ),
  'alerts in plain text in production': {
    variables: {
      ...production,
      ALERT_WEBHOOK_URL: 'http://127.0.0.1:9000/',
      ALERT_WEBHOOK_SECRET: webhookSecret,
    },
    problem: webhookUrl,
  },
  'alerts without a signature': {
    variables: { ALERT_WEBHOOK_URL: 'https://hooks.example/' },
    problem: 'ALERT_WEBHOOK_URL and ALERT_WEBHOOK_SECRET need each other',
  },
  'a signature without alerts': {
    variables: { ALERT_WEBHOOK_SECRET: webhookSecret },
    problem: 'ALERT_WEBHOOK_URL and ALERT_WEBHOOK_SECRET need each other',
  },
  ...Object.fromEntries(
    ['secret', 'whsec_c2hvcnQ=', `${webhookSecret},whsec_`, `${webhookSecret} x`].map(
      (ALERT_WEBHOOK_SECRET) => [
        `alerts signed with ${ALERT_WEBHOOK_SECRET.slice(0, 20)}`,
        {
          variables: { ALERT_WEBHOOK_URL: 'https://hooks.example/', ALERT_WEBHOOK_SECRET },
          problem:
            'ALERT_WEBHOOK_SECRET must be whsec_ and 24 to 64 bytes in base64, several separated by commas (openssl rand -base64 32)',
        },
      ],
    ),
  ),
  'an origin for certificates that is none': {
    variables: { ...mtls, MTLS_ORIGIN: 'https://mtls.example/path' },
    problem: mtlsSentence,
  },
  'an origin for certificates without TLS': {
    variables: { ...mtls, MTLS_ORIGIN: 'http://mtls.example' },
    problem: mtlsSentence,
  },
  'an origin for certificates that nobody tells of': {
    variables: { MTLS_ORIGIN: 'https://mtls.example' },
    problem: 'MTLS_ORIGIN is of use only beside CLIENT_CERTIFICATE_HEADER',
  },
  'an idle time over the lifetime': {
    variables: { REFRESH_IDLE_SECONDS: '101', REFRESH_TOKEN_TTL_SECONDS: '100' },
    problem: 'REFRESH_IDLE_SECONDS must not exceed REFRESH_TOKEN_TTL_SECONDS',
  },
  'less memory than argon2 needs for its lanes': {
    variables: { PASSWORD_HASH_MEMORY_KIB: '31', PASSWORD_HASH_PARALLELISM: '4' },
    problem: 'PASSWORD_HASH_MEMORY_KIB must be at least 8 times PASSWORD_HASH_PARALLELISM',
  },
}

for (const [name, { variables, problem }] of Object.entries(broken)) {
  t.test(`the configuration is refused with one sentence: ${name}`, async (t) => {
    t.same(problemsOf(variables), [problem])
  })
}

t.test('a key file that holds no key is refused by the name of its variable', async (t) => {
  t.same(
    problemsOf({ KEY_ENCRYPTION_KEY_FILE: '/run/key' }, () => 'hello'),
    [keySentence('KEY_ENCRYPTION_KEY_FILE')],
  )
})

t.test('a rule about a variable that could not be read says nothing', async (t) => {
  t.same(problemsOf({ REFRESH_IDLE_SECONDS: 'long', REFRESH_TOKEN_TTL_SECONDS: '100' }), [
    'REFRESH_IDLE_SECONDS must be a whole number from 1 to 2147483647',
  ])
})

t.test('no sentence ever contains what a variable holds', async (t) => {
  const names = Object.keys(environmentSchema.properties)
  const value = fc.string({ minLength: 12, maxLength: 40, unit: fc.constantFrom(...'qxzjkQXZJK') })
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...names), value, { minKeys: 1, maxKeys: 10 }),
      fc.constantFrom('production', ''),
      (variables, NODE_ENV) => {
        const text = problemsOf({ ...variables, NODE_ENV }).join('\n')
        t.notOk(Object.values(variables).some((secret) => text.includes(secret)))
      },
    ),
  )
})

t.test(
  '.env.example has every variable of the schema, with its meaning, and no other',
  async (t) => {
    t.equal(readFileSync(new URL('../.env.example', import.meta.url), 'utf8'), environmentExample())
  },
)
