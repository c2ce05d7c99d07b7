import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { environmentSchema, loadConfig } from '../../src/config.ts'

type Container = {
  readonly image: string
  readonly command?: readonly string[]
  readonly ports?: readonly { name: string; containerPort: number }[]
  readonly envFrom: readonly object[]
  readonly resources: { requests: object; limits: { memory: string } }
  readonly securityContext: object
  readonly [probe: `${string}Probe`]: { httpGet: { path: string; port: string } }
}
type PodSpec = {
  readonly securityContext: object
  readonly automountServiceAccountToken: boolean
  readonly terminationGracePeriodSeconds: number
  readonly containers: readonly [Container]
}
type Manifest = {
  readonly kind: string
  readonly metadata: { name: string }
  readonly data: Record<string, string>
  readonly spec: {
    readonly replicas: number
    readonly maxUnavailable: number
    readonly selector: object
    readonly ports: readonly { name: string; targetPort: string }[]
    readonly strategy: { rollingUpdate: object }
    readonly template: { metadata: { labels: object }; spec: PodSpec }
  }
}

const text = readFileSync(new URL('../../deploy/kubernetes.yaml', import.meta.url), 'utf8')
const documents = parseAllDocuments(text)
const manifests = documents.map((document) => document.toJS() as Manifest)
const find = (kind: string): Manifest => {
  const found = manifests.filter((manifest) => manifest.kind === kind)
  if (found.length !== 1) throw new Error(`${found.length} of ${kind}`)
  return found[0] as Manifest
}
const settings = find('ConfigMap').data
const workloads = [find('Job'), find('Deployment')]

t.test('it is YAML without a fault', async (t) => {
  t.strictSame(
    documents.flatMap(({ errors, warnings }) => [...errors, ...warnings]),
    [],
  )
  t.equal(manifests.length, 5)
})

t.test('its settings are ones that the service takes in production', async (t) => {
  const unknown = Object.keys(settings).filter((name) => !(name in environmentSchema.properties))
  t.strictSame(unknown, [])
  const secrets = {
    DATABASE_URL: 'postgres://u:p@db/tessera',
    REDIS_URL: 'redis://redis:6379',
    KEY_ENCRYPTION_KEY: Buffer.alloc(32).toString('base64'),
  }
  for (const name of Object.keys(secrets)) {
    t.notOk(name in settings, `${name} is in the secret`)
    t.ok(text.includes(`--from-literal=${name}=`), `and it is said how ${name} gets there`)
  }
  t.equal(loadConfig({ ...settings, ...secrets }, () => '').production, true)
})

t.test('only the job migrates', async (t) => {
  t.equal(settings.MIGRATE_ON_START, 'false')
  const [job] = find('Job').spec.template.spec.containers
  t.strictSame(job.command, ['node', 'dist/src/cli/main.js', 'migrate'])
})

for (const { kind, spec } of workloads) {
  t.test(
    `${kind}: no rights that it does not need, bounded memory, secrets by reference`,
    async (t) => {
      const pod = spec.template.spec
      t.match(pod, { automountServiceAccountToken: false })
      t.match(pod.securityContext, {
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      })
      const [container] = pod.containers
      t.strictSame(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      t.match(container.resources, {
        requests: { cpu: String, memory: String },
        limits: { memory: /Mi$/ },
      })
      t.strictSame(container.envFrom, [
        { configMapRef: { name: find('ConfigMap').metadata.name } },
        { secretRef: { name: 'tessera' } },
      ])
    },
  )
}

t.test('a pod is asked for its health, and given the time that it needs to leave', async (t) => {
  const { replicas, strategy, template } = find('Deployment').spec
  const [container] = template.spec.containers
  t.match(container.readinessProbe?.httpGet, { path: '/health/ready', port: 'http' })
  t.match(container.livenessProbe?.httpGet, { path: '/health/live', port: 'http' })
  t.match(container.startupProbe?.httpGet, { path: '/health/live', port: 'http' })
  t.strictSame(container.ports, [
    { name: 'http', containerPort: Number(settings.PORT) },
    { name: 'metrics', containerPort: Number(settings.METRICS_PORT) },
  ])
  t.match(strategy.rollingUpdate, { maxUnavailable: 0 })
  t.ok(replicas >= 2)
  const closingMs = 5000
  const longestMs =
    Number(settings.SHUTDOWN_DELAY_MS) + Number(settings.SHUTDOWN_TIMEOUT_MS) + closingMs
  t.ok(Number(settings.SHUTDOWN_DELAY_MS) >= 5000)
  t.ok(template.spec.terminationGracePeriodSeconds * 1000 > longestMs)
})

t.test('the service leads to the public port alone, the budget keeps pods', async (t) => {
  const { labels } = find('Deployment').spec.template.metadata
  const service = find('Service').spec
  t.strictSame(service.selector, labels)
  t.strictSame(
    service.ports.map(({ targetPort }) => targetPort),
    ['http'],
  )
  const budget = find('PodDisruptionBudget').spec
  t.equal(budget.maxUnavailable, 1)
  t.strictSame(budget.selector, { matchLabels: labels })
})
