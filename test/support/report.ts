import { inspect } from 'node:util'
import type { TestedFile } from './test-file.ts'

/** One line for a file that passed; all that is known about one that failed. */
export function describeFile({ file, verdict, durationMs, errorOutput }: TestedFile): string {
  const { passed, failures } = verdict
  const seconds = `${(durationMs / 1000).toFixed(1)} s`
  if (failures.length === 0) return `ok    ${file}  ${passed} passed, ${seconds}`
  const lines = failures.flatMap(({ title, details }) => [`× ${title}`, indent(details)])
  const written = errorOutput === '' ? [] : ['standard error:', indent(errorOutput.trimEnd())]
  const heading = `FAIL  ${file}  ${counts(passed, failures.length)}, ${seconds}`
  return [heading, ...[...lines, ...written].filter((line) => line !== '').map(indent)].join('\n')
}

/** Every failure once more by its title, and the counts of the whole run as the last line. */
export function describeRun(files: readonly TestedFile[]): string {
  const failures = files.flatMap(({ file, verdict }) =>
    verdict.failures.map(({ title }) => `× ${file}: ${title}`),
  )
  const passed = files.reduce((sum, { verdict }) => sum + verdict.passed, 0)
  return [...failures, counts(passed, failures.length)].join('\n')
}

/** The sentence of an error, and its causes where they add something. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error)
  return error.cause === undefined
    ? error.message
    : `${error.message}\n${indent(describeError(error.cause))}`
}

function counts(passed: number, failed: number): string {
  return `${passed} passed, ${failed} failed`
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '    ')
}
