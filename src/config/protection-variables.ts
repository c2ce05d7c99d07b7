import { Type } from 'typebox'
import { number, oneOf, rateLimit, text, textOr } from './setting-types.ts'

/** Who gets in, how often, and what keeps others out. */
export const protectionVariables = {
  REGISTRATION: oneOf(
    ['open', 'closed'],
    'open',
    '`open`: anyone may register; `closed`: accounts are made by an administrator',
  ),
  CLIENT_REGISTRATION: oneOf(
    ['token', 'open', 'off'],
    'token',
    'Who may register clients at `/connect/register`: whoever has a token from `tessera registration-tokens create`, `open`: anybody, `off`: nobody',
  ),
  CLIENT_REGISTRATION_SCOPES: textOr(
    'openid profile email offline_access',
    'Scopes, with a space between them, that such clients may have; never those of our own API',
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
  RATE_LIMIT_REGISTRATION: rateLimit(
    '30/300',
    'Registrations, of accounts and of clients together, from one address',
  ),
  RATE_LIMIT_REFRESH: rateLimit(
    '20/10',
    'Refreshes of one family; forged tokens and unreadable bodies count by address. Best under half of REFRESH_GRACE_SECONDS',
  ),
  RATE_LIMIT_TOKEN: rateLimit(
    '1200/60',
    'Requests of one authenticated client at the token endpoint, refreshes aside',
  ),
  RATE_LIMIT_INTROSPECTION: rateLimit('6000/60', 'Introspections from one address'),
  RATE_LIMIT_USER_CODE: rateLimit('30/300', 'Codes of devices typed in from one address'),
  RATE_LIMIT_USER_CODES: rateLimit('600/60', 'Codes of devices typed in anywhere'),
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
  REQUIRE_PUSHED_AUTHORIZATION_REQUESTS: Type.Boolean({
    default: false,
    description: 'Take authorization requests from clients themselves only, at /par (RFC 9126)',
  }),
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
}
