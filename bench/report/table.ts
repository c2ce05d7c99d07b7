import type { Comparison } from '../cases/compare.ts'
import type { GrowthReport } from '../growth/measure.ts'
import type { Sample } from '../load/sample.ts'
import type { PeerResult } from '../peers/measure.ts'
import { type Budget, type Figure, isMet } from './figure.ts'
import type { Report } from './report.ts'

type Row = readonly string[]

/** The whole report as Markdown, which reads well in a terminal too. */
export const renderReport = (report: Report): string => {
  const { plan, minutes, comparisons, peers } = report
  return [
    ...origin(report),
    `${plan.connections} connections, ${plan.families * 2} families, medians of ${plan.rounds}`,
    `rounds of ${plan.durationMs / 1000} s; duration ${minutes.toFixed(1)} minutes.`,
    '',
    ...table(comparisonHead, comparisons.map(comparisonRow)),
    ...(peers.length > 0 ? ['', ...table(peerHead, peers.map(peerRow))] : []),
    '',
    ...table(figureHead, report.figures.map(figureRow)),
  ].join('\n')
}

export const renderGrowth = (report: GrowthReport): string =>
  [
    ...origin(report),
    `${report.few.families} and ${report.many.families} families.`,
    '',
    ...table(figureHead, report.figures.map(figureRow)),
  ].join('\n')

type Origin = Pick<Report, 'startedAt' | 'commit' | 'machine' | 'postgres'>

const origin = ({ startedAt, commit, machine, postgres }: Origin): string[] => [
  `Measured on ${startedAt.slice(0, 10)} at commit ${commit}: ${machine.cores} cores of`,
  `${machine.processor}, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node.slice(1)},`,
  `PostgreSQL ${postgres}, load before the run ${machine.loadBefore.toFixed(1)};`,
]

const comparisonHead: Row = [
  'Case',
  'Limit: its twin',
  'Twin/s',
  'Service/s',
  'Ratio',
  'Budget',
  'Met',
  'Twin p50/p99 ms',
  'Service p50/p99 ms',
]

const comparisonRow = ({ name, limit, twin, service, ratio, budget }: Comparison): Row => [
  name,
  limit,
  whole(twin.perSecond),
  whole(service.perSecond),
  percent(ratio),
  budget === undefined ? '' : `≥ ${percent(budget)}`,
  verdict(isMet(ratio, budget === undefined ? undefined : { atLeast: budget })),
  latencies(twin),
  latencies(service),
]

const peerHead: Row = ['Peer', 'Case', 'Peer/s', 'Peer p50/p99 ms']

const peerRow = ({ name, case: measured, sample }: PeerResult): Row => [
  name,
  measured,
  whole(sample.perSecond),
  latencies(sample),
]

const figureHead: Row = ['Figure', 'Value', 'Budget', 'Met', 'Note']

const figureRow = ({ name, value, unit, budget, note }: Figure): Row => [
  name,
  `${short(value)} ${unit}`.trim(),
  bound(budget, unit),
  verdict(isMet(value, budget)),
  note ?? '',
]

const bound = (budget: Budget | undefined, unit: string): string => {
  if (budget === undefined) return ''
  const text = 'atLeast' in budget ? `≥ ${budget.atLeast}` : `≤ ${budget.atMost}`
  return `${text} ${unit}`.trim()
}

const verdict = (met: boolean | undefined): string => {
  if (met === undefined) return ''
  return met ? 'yes' : '**no**'
}

const latencies = ({ p50, p99 }: Sample): string => `${p50.toFixed(1)} / ${p99.toFixed(1)}`
const whole = (value: number): string => String(Math.round(value))
const short = (value: number): string => (value < 100 ? value.toFixed(2) : whole(value))
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`

const table = (head: Row, rows: readonly Row[]): string[] => {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  )
  const line = (row: Row): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [
    line(head),
    `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`,
    ...rows.map(line),
  ]
}
