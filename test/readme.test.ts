import { existsSync, globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { catalogue } from '../src/audit/catalogue.ts'
import { environmentSchema } from '../src/config.ts'
import { banner } from '../src/main/banner.ts'
import { configurationRows } from './support/configuration-text.ts'
import { startService } from './support/service.ts'

const root = new URL('../', import.meta.url)
const readme = readFileSync(new URL('README.md', root), 'utf8')

const between = (name: string): string =>
  readme.split(`<!-- ${name} -->\n`)[1]?.split(`<!-- /${name} -->`)[0] ?? ''

test('README: its table of settings is the schema', async (t) => {
  t.strictSame(between('configuration').trimEnd().split('\n'), configurationRows())
  t.ok(Object.keys(environmentSchema.properties).length > 0)
})

test('README: every link into the project leads somewhere', async (t) => {
  const targets = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)].map(([, path]) => path ?? '')
  t.ok(targets.length > 50)
  t.strictSame(
    targets.filter((path) => !existsSync(fileURLToPath(new URL(path, root)))),
    [],
  )
})

test('README: every specification has tests that prove it', async (t) => {
  const rows = between('specifications').trimEnd().split('\n').slice(2)
  t.ok(rows.length > 20)
  for (const row of rows) {
    const proofs = [...row.matchAll(/\]\((test\/[^)]+\.test\.ts)\)/g)]
    t.ok(proofs.length > 0, row)
  }
})

test('README: every package that the service depends on has its line', async (t) => {
  const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    dependencies: Record<string, string>
    devDependencies: Record<string, string>
  }
  const table = readme.split('### Dependencies')[1] ?? ''
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })) {
    t.ok(table.split(/[\s,|:*]+/).includes(name), `${name} is in the table`)
  }
})

test('README: its table of tools has every package that a test would install', async (t) => {
  const installed = globSync('test/**/*.ts', { cwd: root }).flatMap((path) =>
    [...readFileSync(new URL(path, root), 'utf8').matchAll(/debianPackage: '([a-z-]+)'/g)].map(
      ([, name]) => name,
    ),
  )
  t.ok(installed.length > 3)
  const listed = [...between('tools').matchAll(/^\| [^|]+ \| (\S+) \|/gm)].map(([, name]) => name)
  t.strictSame(
    installed.filter((name) => !listed.includes(name)),
    [],
  )
})

test('README: it counts the audited events as the catalogue does', async (t) => {
  t.match(readme, `audit events of ${Object.keys(catalogue).length} types in 4 severities`)
})

test('README: every endpoint that it names exists, and every one that exists is named', async (t) => {
  const { app } = await startService(t)
  const table = readme.split('## Endpoints')[1]?.split('\n## ')[0] ?? ''
  const named = [...table.matchAll(/^\| (.+?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(?:GET|POST|DELETE|PATCH)?(?: ?, )?[^`]*?(\/[^`]*)`/g)].map(
      ([, path = '']) => path,
    ),
  )
  const { paths } = app.swagger() as { paths: Record<string, object> }
  // Pages are no part of the description.
  const isRoute = (url: string): boolean =>
    (['GET', 'POST'] as const).some((method) => app.hasRoute({ method, url }))
  const existing = Object.keys(paths).map((path) => path.replace(/\{(\w+)\}/g, ':$1'))
  t.strictSame(
    existing.filter((path) => !named.includes(path)),
    [],
  )
  t.strictSame(
    named.filter((path) => !existing.includes(path) && !isRoute(path)),
    [],
  )
})

test('README: its quick start is what the service prints', async (t) => {
  const text = banner(
    { issuer: 'http://localhost:4000', registration: 'open' },
    'http://localhost:4000',
  )
  const lines = text.split('\n').filter((line) => /^(TOKENS|curl)/.test(line))
  t.equal(lines.length, 3)
  for (const line of lines) t.ok(readme.includes(`\n${line}\n`), line)
})
