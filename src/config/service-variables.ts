import { Type } from 'typebox'
import { number, oneOf, optionalPort, text, textOr } from './setting-types.ts'

/** Where the service runs, and where its data are. */
export const serviceVariables = {
  NODE_ENV: oneOf(
    ['production', 'development', 'test'],
    'development',
    '`production` makes ISSUER (https), DATABASE_URL and a key-encryption key required',
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
  TEMPLATES_DIR: text(
    'Folder whose templates (`sign-in.eta`, `layout.eta`, …) and `tessera.css` stand in for those of the same name',
    { example: '/etc/tessera/templates' },
  ),
  DATA_DIR: textOr('data', 'Folder of the embedded mode: database, lock and local socket'),
}
