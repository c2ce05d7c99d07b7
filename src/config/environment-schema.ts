import { type Static, Type } from 'typebox'
import { number, oneOf, optionalPort, rateLimit, text, textOr } from './setting-types.ts'

/** Every setting of the service: the environment variable's name, type, default and meaning. */
export const environmentSchema = Type.Object({
  NODE_ENV: text(
    '`production` makes ISSUER (https), DATABASE_URL and a key-encryption key required',
    { example: 'production' },
  ),
  PORT: number(4000, 'TCP port; 0 takes a free one', 0, 65_535),
  HOST: textOr('127.0.0.1', 'Address to listen on; the container image sets 0.0.0.0'),
  WORKERS: textOr(
    '1',
    'Processes that share the port: a number, or `auto` for one a core; the embedded mode has one',
  ),
  METRICS_PORT: optionalPort(
    'TCP port of `/metrics` for Prometheus, never the public one; unset: no metrics',
    { example: '9464' },
  ),
  METRICS_HOST: textOr('127.0.0.1', 'Address on which METRICS_PORT listens'),
  OTEL_EXPORTER_OTLP_ENDPOINT: text(
    'Base URL of an OpenTelemetry collector (OTLP over HTTP); unset: no traces',
    { example: 'http://localhost:4318' },
  ),
  ISSUER: text(
    'Public base URL, exactly as it stands in `iss`; with a path, all routes but the health stand below it; default http://localhost:$PORT',
    { example: 'https://auth.example.com' },
  ),
  DATABASE_URL: text('PostgreSQL 15 or newer; unset: the embedded mode, data in DATA_DIR', {
    example: 'postgres://tessera:password@localhost:5432/tessera',
    secret: true,
  }),
  DATABASE_DIRECT_URL: text('Connection for migrations, past any pooler; default DATABASE_URL', {
    example: 'postgres://tessera:password@localhost:5432/tessera',
    secret: true,
  }),
  MIGRATE_ON_START: Type.Boolean({
    default: true,
    description: 'Apply pending migrations at start',
  }),
  REDIS_URL: text(
    'redis://, rediss://, redis-sentinel://host:26379,host:26379/name or redis-cluster://host:6379,host:6379; unset: shared state in the process',
    { example: 'redis://localhost:6379/0', secret: true },
  ),
  DATA_DIR: textOr('data', 'Folder of the embedded mode: database, lock and local socket'),
  KEY_ENCRYPTION_KEY: text(
    '32 bytes in base64 that seal the private keys at rest; several, comma-separated, newest first',
    { example: 'the output of: openssl rand -base64 32', secret: true },
  ),
  KEY_ENCRYPTION_KEY_FILE: text(
    'File that holds what KEY_ENCRYPTION_KEY would; without either, and not in production, one is made in keys/',
    { example: '/run/secrets/key-encryption-key' },
  ),
  KEY_ROTATION_DAYS: number(
    30,
    'How long a key signs before the next one follows by itself, at least a day; 0: only by command',
    0,
    3650,
  ),
  ACCESS_TOKEN_TTL_SECONDS: number(
    900,
    'Lifetime of access tokens, unless their audience sets its own',
    1,
    86_400,
  ),
  REFRESH_TOKEN_TTL_SECONDS: number(
    2_592_000,
    'Absolute lifetime of a refresh-token family (30 days)',
  ),
  REFRESH_IDLE_SECONDS: number(604_800, 'A family unused for so long ends (7 days)'),
  REFRESH_GRACE_SECONDS: number(
    30,
    'Window in which a retried refresh is answered again; 0: strict',
    0,
    600,
  ),
  DEFAULT_AUDIENCE: text('Audience of tokens for which none is asked; default ISSUER', {
    example: 'https://api.example.com',
  }),
  REGISTRATION: oneOf(
    ['open', 'closed'],
    'open',
    '`open`: anyone may register; `closed`: accounts are made by an administrator',
  ),
  ADMIN_EMAIL: text(
    'Address of the first administrator, who is made at start while no account has the role `admin`; the password for the first sign-in is shown once on standard error',
    { example: 'admin@example.com' },
  ),
  USER_PURGE_DAYS: number(30, 'Deleted accounts can be restored for so many days', 1, 3650),
  CORS_ORIGINS: text('Comma-separated origins of browser apps that may call the API', {
    example: 'https://app.example.com,http://localhost:3000',
  }),
  TRUSTED_PROXIES: text(
    'Comma-separated addresses or CIDR ranges of proxies whose X-Forwarded-For counts',
    { example: '10.0.0.0/8' },
  ),
  RATE_LIMIT_DEFAULT: rateLimit(
    '6000/60',
    'Requests in so many seconds (`points/seconds`, or `off`) from one address (IPv6: one /64), for all that has no limit of its own',
  ),
  RATE_LIMIT_SIGN_IN: rateLimit(
    '30/60',
    'Sign-ins to one account, known or not, and as many from one address',
  ),
  RATE_LIMIT_REGISTRATION: rateLimit('30/300', 'Registrations from one address'),
  RATE_LIMIT_REFRESH: rateLimit(
    '20/10',
    'Refreshes of one family; forged tokens and unreadable bodies count by address. Best under half of REFRESH_GRACE_SECONDS',
  ),
  RATE_LIMIT_TOKEN: rateLimit(
    '1200/60',
    'Requests of one authenticated client at the token endpoint, refreshes aside',
  ),
  RATE_LIMIT_INTROSPECTION: rateLimit('6000/60', 'Introspections from one address'),
  RATE_LIMIT_ADMIN: rateLimit('600/60', 'Requests to the admin API from one address'),
  OVERLOAD_EVENT_LOOP_DELAY_MS: number(
    1000,
    'Mean delay of the event loop past which requests are answered 503; 0: never',
    0,
    60_000,
  ),
  OVERLOAD_REQUESTS: number(
    1000,
    'Requests a process works on at once; further ones are answered 503',
    1,
    1_000_000,
  ),
  SESSIONS_PER_USER: number(
    100,
    'Live sessions a user may have; a further sign-in ends the oldest',
    1,
    10_000,
  ),
  MAX_LOGIN_ATTEMPTS: number(
    5,
    'Failed passwords after which sign-in to the account is refused for a while',
    1,
    1000,
  ),
  LOCKOUT_SECONDS: number(
    1800,
    'How long; each further lockout within a day lasts twice as long, up to 16 times',
    1,
    86_400,
  ),
  SESSION_COOKIES: Type.Boolean({
    default: false,
    description:
      'Give the tokens of the first-party API as cookies too, unless a request says `"cookies": false`',
  }),
  COOKIE_DOMAIN: text(
    'Domain whose hosts all get the access-token cookie; unset: this host alone',
    { example: 'example.com' },
  ),
  PASSWORD_HASH_MEMORY_KIB: number(19_456, 'argon2id memory per hash', 8, 4_194_304),
  PASSWORD_HASH_TIME_COST: number(2, 'argon2id passes', 1, 100),
  PASSWORD_HASH_PARALLELISM: number(1, 'argon2id lanes', 1, 16),
  PASSWORD_HASH_CONCURRENCY: number(
    0,
    'Hashes computed at once; 0: one fewer than the cores, at least one',
    0,
    64,
  ),
  PASSWORD_HASH_QUEUE_LIMIT: number(
    64,
    'Hashes that may wait; past it a sign-in is answered 503',
    0,
    10_000,
  ),
  RSA_MODULUS_BITS: number(3072, 'Size of new RS256 and PS256 keys', 2048, 8192),
  DATABASE_POOL_SIZE: number(10, 'Connections to PostgreSQL per process', 1, 1000),
  DATABASE_CONNECT_TIMEOUT_MS: number(3000, 'Longest wait for a connection'),
  DATABASE_STATEMENT_TIMEOUT_MS: number(5000, 'Longest SQL statement'),
  DATABASE_LOCK_TIMEOUT_MS: number(1000, 'Longest wait for a row lock'),
  REDIS_COMMAND_TIMEOUT_MS: number(100, 'Longest wait for an answer of Redis'),
  REQUEST_TIMEOUT_MS: number(15_000, 'Longest time for a client to send its request'),
  SHUTDOWN_DELAY_MS: number(
    0,
    'Time after SIGTERM in which requests are still taken, while readiness tells balancers to stop',
    0,
    600_000,
  ),
  SHUTDOWN_TIMEOUT_MS: number(10_000, 'Time that running requests are given on SIGTERM or SIGINT'),
  BODY_LIMIT_BYTES: number(65_536, 'Largest request body', 1024, 10_485_760),
  AUDIT_RETENTION_DAYS: number(
    365,
    'Audit events are kept at least so long; they go by whole months',
    1,
    36_500,
  ),
  ALERT_WEBHOOK_URL: text('Where alerts are sent, signed: https; on loopback also http', {
    example: 'https://hooks.example.com/tessera',
    secret: true,
  }),
  ALERT_WEBHOOK_SECRET: text(
    'Signs alerts: whsec_ and 24 to 64 bytes in base64; several, comma-separated, newest first',
    { example: 'whsec_ followed by the output of: openssl rand -base64 32', secret: true },
  ),
  LOG_LEVEL: oneOf(
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    'info',
    'Least severe level that is logged',
  ),
})

/** The environment after it was read: every variable with its type, defaults filled in. */
export type Environment = Static<typeof environmentSchema>
export type VariableName = keyof Environment
