import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { createAggregation } from '../../src/observability/aggregation.ts'
import { observeProcess } from '../../src/observability/metrics.ts'
import { startService } from '../support/service.ts'

const file = (name: string): string =>
  readFileSync(new URL(`../../deploy/${name}`, import.meta.url), 'utf8')

/** What is published, name by name, with the labels that it may have. */
const published = async (t: Test): Promise<Map<string, ReadonlySet<string>>> => {
  const { deps } = await startService(t)
  observeProcess(deps.metrics.registry)
  const workers = await createAggregation(() => 0).text()
  const text = `${await deps.metrics.registry.metrics()}\n${workers}`
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
  const names = types.flatMap(([, name = '', type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
  )
  const labels = (name: string): string[] => {
    const metric = deps.metrics.registry.getSingleMetric(name.replace(/_(bucket|count|sum)$/, ''))
    return metric !== undefined && 'labelNames' in metric ? (metric.labelNames as string[]) : []
  }
  return new Map(names.map((name) => [name, new Set(labels(name))]))
}

type Query = { readonly title: string; readonly expr: string }

const rules = (): Query[] => {
  const { groups } = parse(file('prometheus-alerts.yaml')) as {
    groups: { rules: { alert: string; expr: string }[] }[]
  }
  return groups.flatMap((group) => group.rules.map(({ alert, expr }) => ({ title: alert, expr })))
}

const panels = (): Query[] => {
  const { panels } = JSON.parse(file('grafana-dashboard.json')) as {
    panels: { title: string; targets: { expr: string }[] }[]
  }
  return panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })))
}

// What Prometheus adds by itself when it reads.
const added = new Set(['instance', 'le'])

const namesIn = (expr: string): string[] =>
  [...expr.matchAll(/\b(?:tessera|process|nodejs)_\w+/g)].map(([name]) => name)

const labelsIn = (expr: string): string[] => [
  ...[...expr.matchAll(/(\w+)(?:=~|!=|!~|=)"/g)].map(([, label = '']) => label),
  ...[...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/)),
]

t.test('the dashboard and the alert rules ask only for what is published', async (t) => {
  const known = await published(t)
  const queries = [...rules(), ...panels()]
  t.ok(rules().length >= 10 && panels().length >= 15)
  for (const { title, expr } of queries) {
    const names = namesIn(expr)
    t.ok(names.length > 0, title)
    t.strictSame(
      names.filter((name) => !known.has(name)),
      [],
      `the names of ${title}`,
    )
    const allowed = new Set([...added, ...names.flatMap((name) => [...(known.get(name) ?? [])])])
    t.strictSame(
      labelsIn(expr).filter((label) => !allowed.has(label)),
      [],
      `the labels of ${title}`,
    )
  }
})

t.test('every metric of ours is on the dashboard', async (t) => {
  const shown = new Set(panels().flatMap(({ expr }) => namesIn(expr)))
  const names = [...(await published(t)).keys()].filter((name) => name.startsWith('tessera_'))
  t.strictSame(
    names.filter((name) => !shown.has(name) && !/_(sum|ready)$/.test(name)),
    [],
  )
})

t.test('every alert rule says what is wrong, how bad it is, and for whom', async (t) => {
  const { groups } = parse(file('prometheus-alerts.yaml')) as {
    groups: { rules: { labels: { severity: string }; annotations: { summary: string } }[] }[]
  }
  for (const { labels, annotations } of groups.flatMap((group) => group.rules)) {
    t.match(labels.severity, /^(warning|critical)$/)
    t.ok(annotations.summary.length > 20)
  }
})
