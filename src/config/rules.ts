import { isAudience } from '../oauth/audience.ts'
import { isWebOrigin } from '../oauth/web-origin.ts'
import type { Environment, VariableName } from './environment-schema.ts'
import { outsideRules } from './outside-rules.ts'
import type { Rule } from './rule.ts'
import { type Config, splitList } from './settings.ts'
import {
  isAddressRange,
  isCookieDomain,
  isEmailAddress,
  isHttpUrl,
  isIssuer,
  isPostgresUrl,
  isWebhookSecret,
  isWebhookUrl,
  isWorkerCount,
} from './value-forms.ts'

const isSetBut = (value: string | undefined, isValid: (value: string) => boolean): boolean =>
  value !== undefined && !isValid(value)

const rules: readonly Rule[] = [
  {
    about: ['ISSUER'],
    isBroken: ({ ISSUER }) => isSetBut(ISSUER, isIssuer),
    sentence:
      'ISSUER must be an http or https URL in its plain spelling: no query, fragment, credentials or slash at the end, the host in lower case, no default port',
  },
  {
    about: ['ISSUER'],
    isBroken: ({ ISSUER }, { production }) => production && ISSUER === undefined,
    sentence: 'ISSUER is required in production: the public https URL of this service',
  },
  {
    about: ['ISSUER'],
    isBroken: ({ ISSUER }, { production }) =>
      production && isSetBut(ISSUER, (issuer) => issuer.startsWith('https:')),
    sentence: 'ISSUER must be https in production',
  },
  {
    about: ['ISSUER', 'PORT'],
    isBroken: ({ ISSUER, PORT }, { production }) =>
      !production && PORT === 0 && ISSUER === undefined,
    sentence: 'ISSUER is required with PORT=0: its default would name a port that is not known yet',
  },
  {
    about: ['WORKERS'],
    isBroken: ({ WORKERS }) => !isWorkerCount(WORKERS),
    sentence: 'WORKERS must be a whole number from 1 to 256, or auto',
  },
  {
    about: ['WORKERS', 'DATABASE_URL'],
    isBroken: ({ DATABASE_URL }, { workers }) => DATABASE_URL === undefined && workers > 1,
    sentence:
      'WORKERS must be 1 in the embedded mode, whose data belong to one process: set DATABASE_URL, or leave WORKERS out',
  },
  {
    about: ['METRICS_PORT', 'PORT'],
    isBroken: ({ METRICS_PORT, PORT }) => METRICS_PORT === PORT && PORT !== 0,
    sentence: 'METRICS_PORT must differ from PORT: metrics are not for the public',
  },
  {
    about: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
    isBroken: ({ OTEL_EXPORTER_OTLP_ENDPOINT: url }) => isSetBut(url, isHttpUrl),
    sentence: 'OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https URL',
  },
  {
    about: ['DATABASE_URL'],
    isBroken: ({ DATABASE_URL }, { production }) => production && DATABASE_URL === undefined,
    sentence: 'DATABASE_URL is required in production: postgres://user:password@host/database',
  },
  {
    about: ['DATABASE_URL'],
    isBroken: ({ DATABASE_URL }) => isSetBut(DATABASE_URL, isPostgresUrl),
    sentence: 'DATABASE_URL must be a postgres:// URL',
  },
  {
    about: ['DATABASE_DIRECT_URL'],
    isBroken: ({ DATABASE_DIRECT_URL }) => isSetBut(DATABASE_DIRECT_URL, isPostgresUrl),
    sentence: 'DATABASE_DIRECT_URL must be a postgres:// URL',
  },
  {
    about: ['DATABASE_DIRECT_URL'],
    isBroken: ({ DATABASE_DIRECT_URL, DATABASE_URL }) =>
      DATABASE_DIRECT_URL !== undefined && DATABASE_URL === undefined,
    sentence: 'DATABASE_DIRECT_URL is of use only beside DATABASE_URL',
  },
  {
    about: ['REDIS_URL'],
    isBroken: ({ REDIS_URL }, { redisServers }) =>
      REDIS_URL !== undefined && redisServers === undefined,
    sentence:
      'REDIS_URL must be a redis://, rediss://, redis-sentinel:// or redis-cluster:// URL, each host with a port from 1 to 65535 or none, credentials percent-encoded',
  },
  {
    about: ['KEY_ENCRYPTION_KEY', 'KEY_ENCRYPTION_KEY_FILE'],
    isBroken: ({ KEY_ENCRYPTION_KEY, KEY_ENCRYPTION_KEY_FILE }, { production }) =>
      production && KEY_ENCRYPTION_KEY === undefined && KEY_ENCRYPTION_KEY_FILE === undefined,
    sentence:
      'KEY_ENCRYPTION_KEY or KEY_ENCRYPTION_KEY_FILE is required in production: 32 random bytes in base64 (openssl rand -base64 32)',
  },
  {
    about: ['KEY_ENCRYPTION_KEY', 'KEY_ENCRYPTION_KEY_FILE'],
    isBroken: ({ KEY_ENCRYPTION_KEY, KEY_ENCRYPTION_KEY_FILE }) =>
      KEY_ENCRYPTION_KEY !== undefined && KEY_ENCRYPTION_KEY_FILE !== undefined,
    sentence: 'KEY_ENCRYPTION_KEY and KEY_ENCRYPTION_KEY_FILE exclude each other',
  },
  {
    about: ['DEFAULT_AUDIENCE'],
    isBroken: ({ DEFAULT_AUDIENCE }) => isSetBut(DEFAULT_AUDIENCE, isAudience),
    sentence: 'DEFAULT_AUDIENCE must be a URI without a fragment, or a plain name',
  },
  {
    about: ['ADMIN_EMAIL'],
    isBroken: ({ ADMIN_EMAIL }) => isSetBut(ADMIN_EMAIL, isEmailAddress),
    sentence: 'ADMIN_EMAIL must be an email address',
  },
  {
    about: ['CORS_ORIGINS'],
    isBroken: (_environment, { corsOrigins }) => !corsOrigins.every(isWebOrigin),
    sentence: 'CORS_ORIGINS must be origins such as https://app.example.com, without a path',
  },
  {
    about: ['COOKIE_DOMAIN', 'ISSUER'],
    isBroken: ({ COOKIE_DOMAIN }, { issuer }) =>
      isSetBut(COOKIE_DOMAIN, (domain) => isCookieDomain(domain, issuer)),
    sentence:
      'COOKIE_DOMAIN must be the host of ISSUER or a domain above it, of at least two labels',
  },
  {
    about: ['TRUSTED_PROXIES'],
    isBroken: (_environment, { trustedProxies }) => !trustedProxies.every(isAddressRange),
    sentence: 'TRUSTED_PROXIES must be IP addresses or CIDR ranges',
  },
  {
    about: ['ALERT_WEBHOOK_URL'],
    isBroken: ({ ALERT_WEBHOOK_URL }, { production }) =>
      isSetBut(ALERT_WEBHOOK_URL, (url) => isWebhookUrl(url, production)),
    sentence:
      'ALERT_WEBHOOK_URL must be an https URL without credentials or fragment; away from production it may be http on this machine',
  },
  {
    about: ['ALERT_WEBHOOK_URL', 'ALERT_WEBHOOK_SECRET'],
    isBroken: ({ ALERT_WEBHOOK_URL, ALERT_WEBHOOK_SECRET }) =>
      (ALERT_WEBHOOK_URL === undefined) !== (ALERT_WEBHOOK_SECRET === undefined),
    sentence: 'ALERT_WEBHOOK_URL and ALERT_WEBHOOK_SECRET need each other',
  },
  {
    about: ['ALERT_WEBHOOK_SECRET'],
    isBroken: ({ ALERT_WEBHOOK_SECRET }) =>
      isSetBut(ALERT_WEBHOOK_SECRET, (secrets) => splitList(secrets).every(isWebhookSecret)),
    sentence:
      'ALERT_WEBHOOK_SECRET must be whsec_ and 24 to 64 bytes in base64, several separated by commas (openssl rand -base64 32)',
  },
  {
    about: ['REFRESH_IDLE_SECONDS', 'REFRESH_TOKEN_TTL_SECONDS'],
    isBroken: (environment) =>
      environment.REFRESH_IDLE_SECONDS > environment.REFRESH_TOKEN_TTL_SECONDS,
    sentence: 'REFRESH_IDLE_SECONDS must not exceed REFRESH_TOKEN_TTL_SECONDS',
  },
  {
    about: ['PASSWORD_HASH_MEMORY_KIB', 'PASSWORD_HASH_PARALLELISM'],
    isBroken: (environment) =>
      environment.PASSWORD_HASH_MEMORY_KIB < 8 * environment.PASSWORD_HASH_PARALLELISM,
    sentence: 'PASSWORD_HASH_MEMORY_KIB must be at least 8 times PASSWORD_HASH_PARALLELISM',
  },
]

/**
 * What is wrong with the form of variables, or with several taken together.
 * @param unread variables that already failed by their type
 * @returns a sentence for every broken rule
 */
export const findBreaches = (
  environment: Environment,
  config: Config,
  unread: ReadonlySet<VariableName>,
): string[] =>
  [...rules, ...outsideRules]
    .filter(({ about }) => !about.some((name) => unread.has(name)))
    .filter(({ isBroken }) => isBroken(environment, config))
    .map(({ sentence }) => sentence)
