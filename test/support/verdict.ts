import { inspect } from 'node:util'
import { Parser, type Result } from 'tap-parser'

/** What a test file did, as its process was seen from outside. */
export type Outcome = {
  /** Its standard output, TAP. */
  readonly output: string
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Whether it was ended for taking too long. */
  readonly timedOut: boolean
  /** Whether processes that it started were still running after it. */
  readonly leftProcesses: boolean
}

/** Counts of one test file: assertions, and one more for each way in which the file itself failed. */
export type Verdict = { readonly passed: number; readonly failures: readonly Failure[] }

/** One failed assertion. */
export type Failure = { readonly title: string; readonly details: string }

/** Judges a test file. Skipped and unfinished tests count as failed: a run proves all or nothing. */
export function judge(outcome: Outcome): Verdict {
  const events = Parser.parse(outcome.output, { flat: true })
  const points = events.flatMap(([type, value]) => (type === 'assert' ? [value as Result] : []))
  const failed = points.filter((point) => !point.ok || skipped(point)).map(failureOf)
  return {
    passed: points.length - failed.length,
    failures: [...failed, ...failuresOfFile(outcome, points.length, failed.length)],
  }
}

function failuresOfFile(outcome: Outcome, points: number, failed: number): Failure[] {
  const { code, signal } = outcome
  const reasons = [
    [outcome.timedOut, 'took too long and was ended'],
    [outcome.leftProcesses, 'left processes running'],
    [!outcome.timedOut && failed === 0 && signal !== null, `was ended by ${signal}`],
    [!outcome.timedOut && failed === 0 && code !== null && code !== 0, `ended with code ${code}`],
    [points === 0 && code === 0, 'holds no test'],
  ] as const
  return reasons.filter(([isSo]) => isSo).map(([, reason]) => ({ title: reason, details: '' }))
}

function skipped({ skip, todo }: Result): boolean {
  return skip !== false || todo !== false
}

function failureOf(point: Result): Failure {
  const title = point.fullname === '' ? 'unnamed' : point.fullname
  if (point.ok) return { title: `${title} (skipped)`, details: '' }
  const details = Object.entries((point.diag ?? {}) as Record<string, unknown>)
    .filter(([name]) => name !== 'source')
    .map(([name, value]) => `${name}: ${print(value)}`)
  return { title, details: details.join('\n') }
}

function print(value: unknown): string {
  if (typeof value !== 'string') return inspect(value, { depth: 10, breakLength: 100 })
  return value.includes('\n') ? `\n${value.trimEnd().replaceAll(/^/gm, '  ')}` : value
}
