import { number, oneOf, text } from './setting-types.ts'

/** Limits of time and size, and what operators are told. */
export const operationVariables = {
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
}
