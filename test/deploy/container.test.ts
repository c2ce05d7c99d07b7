import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseDocument } from 'yaml'
import { environmentSchema, loadConfig } from '../../src/config.ts'

const root = new URL('../../', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, root), 'utf8')

/** Instructions of a Dockerfile, continued lines joined, comments left out. */
const instructions = read('Dockerfile')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => /^([A-Z]+) +(.*)$/.exec(line.trim())?.slice(1) ?? ['', line])
const lastStage = instructions.slice(instructions.findLastIndex(([name]) => name === 'FROM'))
const valuesOf = (name: string) =>
  lastStage.filter(([given]) => given === name).map(([, value = '']) => value)
const imageSettings = Object.fromEntries(
  valuesOf('ENV').flatMap((value) => value.split(/ +/).map((pair) => pair.split('='))),
) as Record<string, string>

/** Not the service's: how malloc behaves. */
const ofTheSystem = ['MALLOC_ARENA_MAX']
const unknownOf = (settings: object): string[] =>
  Object.keys(settings).filter(
    (name) => !(name in environmentSchema.properties || ofTheSystem.includes(name)),
  )

type Service = {
  readonly image: string
  readonly build?: string
  readonly environment: Record<string, string>
  readonly ports?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on: Record<string, { condition: string }>
  readonly read_only: boolean
  readonly cap_drop: readonly string[]
  readonly security_opt: readonly string[]
  readonly stop_grace_period: string
}
const compose = parseDocument(read('docker-compose.yml'))
const { services } = compose.toJS() as { services: Record<string, Service> }
const tessera = services.tessera as Service

/** As compose does, with what the comment at the top has people write. */
const secrets: Readonly<Record<string, string>> = {
  KEY_ENCRYPTION_KEY: Buffer.alloc(32).toString('base64'),
  POSTGRES_PASSWORD: 'a1b2',
}
const filled = Object.fromEntries(
  Object.entries(tessera.environment).map(([name, text]) => [
    name,
    text.replace(/\$\{(\w+):[-?]([^}]*)\}/g, (_, variable, rest) => secrets[variable] ?? rest),
  ]),
)

t.test(
  'the image: settings of the service, an ordinary user, the port and its health',
  async (t) => {
    t.strictSame(unknownOf(imageSettings), [])
    const config = loadConfig(
      { ...filled, ISSUER: 'https://a.example', ...imageSettings },
      () => '',
    )
    t.match(config, { production: true, host: '0.0.0.0', dataDir: '/data' })
    const [user] = valuesOf('USER')
    t.equal(user, 'node')
    t.strictSame(valuesOf('EXPOSE'), [String(config.port)])
    t.strictSame(valuesOf('VOLUME'), [config.dataDir])
    const [health = ''] = valuesOf('HEALTHCHECK')
    t.match(health, '/health/live')
    t.match(health, 'process.env.PORT')
  },
)

t.test(
  'the image runs the built service without a shell between, which would keep SIGTERM',
  async (t) => {
    const [command = ''] = valuesOf('CMD')
    const words = JSON.parse(command) as string[]
    t.equal(words[0], 'node')
    t.equal(words.at(-1), 'dist/src/main.js')
    const { scripts } = JSON.parse(read('package.json')) as { scripts: { build: string } }
    t.match(scripts.build, 'tsc -p tsconfig.build.json')
    t.match(read('tsconfig.build.json'), '"outDir": "dist"')
  },
)

t.test('docker-compose.yml is YAML without a fault', async (t) => {
  t.strictSame([...compose.errors, ...compose.warnings], [])
  t.strictSame(Object.keys(services), ['tessera', 'postgres', 'redis'])
})

t.test('compose: settings that the service takes, away from production and in it', async (t) => {
  t.strictSame(unknownOf(tessera.environment), [])
  t.match(
    loadConfig({ ...imageSettings, ...filled }, () => ''),
    {
      production: false,
      databaseUrl: 'postgres://tessera:a1b2@postgres:5432/tessera',
      redisServers: { nodes: [{ host: 'redis', port: 6379 }] },
    },
  )
  const production = { ...filled, NODE_ENV: 'production', ISSUER: 'https://auth.example.com' }
  t.equal(loadConfig({ ...imageSettings, ...production }, () => '').production, true)
})

t.test(
  'compose: nothing is open to the network, nothing runs with more rights than it needs',
  async (t) => {
    t.strictSame(tessera.ports, [`127.0.0.1:4000:${imageSettings.PORT}`])
    t.strictSame([services.postgres?.ports, services.redis?.ports], [undefined, undefined])
    t.match(tessera, { read_only: true, cap_drop: ['ALL'] })
    t.strictSame(tessera.security_opt, ['no-new-privileges:true'])
  },
)

t.test(
  'compose: the service starts after what it needs is healthy, and has the time to end',
  async (t) => {
    for (const [name, { condition }] of Object.entries(tessera.depends_on)) {
      t.equal(condition, 'service_healthy')
      t.ok(services[name]?.healthcheck, `${name} tells its health`)
    }
    t.strictSame(Object.keys(tessera.depends_on), ['postgres', 'redis'])
    const { shutdownDelayMs, shutdownTimeoutMs } = loadConfig(
      { ...imageSettings, ...filled },
      () => '',
    )
    const [, seconds] = /^(\d+)s$/.exec(tessera.stop_grace_period) ?? []
    t.ok(Number(seconds) * 1000 > shutdownDelayMs + shutdownTimeoutMs)
  },
)
