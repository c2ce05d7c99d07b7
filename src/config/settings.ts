import { availableParallelism } from 'node:os'
import type { Environment } from './environment-schema.ts'
import { type RateLimits, type RateLimitVariable, readRateLimits } from './rate-limits.ts'
import { parseRedisUrl, type RedisServers } from './redis-url.ts'

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<S>
type CamelCased<T> = { readonly [K in keyof T as CamelCase<K & string>]: T[K] }

type Derived = {
  readonly issuer: string
  readonly defaultAudience: string
  readonly corsOrigins: readonly string[]
  readonly trustedProxies: readonly string[]
  /** Newest first; empty when none is configured, and the service makes its own. */
  readonly keyEncryptionKeys: readonly Buffer[]
  readonly production: boolean
  /** Newest first; each signs every alert. */
  readonly alertWebhookKeys: readonly Buffer[]
  readonly rateLimits: RateLimits
  /** Absent without REDIS_URL. */
  readonly redisServers?: RedisServers
  /** The only hosts that are asked at the word of clients; empty: all public ones. */
  readonly outboundAllowedHosts: readonly string[]
  readonly outboundPrivateHosts: readonly string[]
  /** PEM; empty: no certificate is trusted for tls_client_auth. */
  readonly clientCertificateAuthorities: readonly string[]
  /** Processes that share the port. */
  readonly workers: number
}

type ReplacedVariable =
  | 'nodeEnv'
  | 'keyEncryptionKey'
  | 'keyEncryptionKeyFile'
  | 'alertWebhookSecret'
  | 'redisUrl'
  | 'clientCertificateAuthoritiesFile'
  | CamelCase<RateLimitVariable>

/** The whole configuration, read once, frozen and passed down. Durations carry their unit. */
export type Config = Omit<CamelCased<Environment>, keyof Derived | ReplacedVariable> & Derived

/** The settings that a valid environment stands for, with what follows from it. */
export const toConfig = (
  environment: Environment,
  keyEncryptionKeys: readonly Buffer[],
  clientCertificateAuthorities: readonly string[],
): Config => {
  const { NODE_ENV, KEY_ENCRYPTION_KEY, KEY_ENCRYPTION_KEY_FILE, ...unsealed } = environment
  const { ALERT_WEBHOOK_SECRET, REDIS_URL, ...others } = unsealed
  const { CLIENT_CERTIFICATE_AUTHORITIES_FILE: _file, ...settings } = others
  const redisServers = REDIS_URL === undefined ? undefined : parseRedisUrl(REDIS_URL)
  const issuer = environment.ISSUER ?? new URL(`http://localhost:${environment.PORT}`).origin
  const named = Object.entries(settings)
    .filter(([name]) => !name.startsWith('RATE_LIMIT_'))
    .map(([name, value]) => [toCamelCase(name), value])
  return Object.freeze({
    ...(Object.fromEntries(named) as Omit<Config, keyof Derived>),
    issuer,
    defaultAudience: environment.DEFAULT_AUDIENCE ?? issuer,
    corsOrigins: splitList(environment.CORS_ORIGINS),
    trustedProxies: splitList(environment.TRUSTED_PROXIES),
    outboundAllowedHosts: splitList(environment.OUTBOUND_ALLOWED_HOSTS),
    outboundPrivateHosts: splitList(environment.OUTBOUND_PRIVATE_HOSTS),
    clientCertificateAuthorities,
    keyEncryptionKeys,
    production: NODE_ENV === 'production',
    alertWebhookKeys: splitList(ALERT_WEBHOOK_SECRET).map((secret) =>
      Buffer.from(secret.replace('whsec_', ''), 'base64'),
    ),
    rateLimits: readRateLimits(environment),
    ...(redisServers === undefined ? {} : { redisServers }),
    workers: environment.WORKERS === 'auto' ? availableParallelism() : Number(environment.WORKERS),
  })
}

/** Splits a comma-separated value; white space and empty items do not count. */
export const splitList = (value: string | undefined): string[] =>
  (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

const toCamelCase = (name: string): string =>
  name.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
