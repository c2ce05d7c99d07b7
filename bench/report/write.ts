import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Report } from './report.ts'
import { renderReport } from './table.ts'

const results = new URL('../results/', import.meta.url)
const readme = new URL('../README.md', import.meta.url)
const figures = /(?<=<!-- figures -->\n).*(?=<!-- \/figures -->)/s

/** Puts the report into results/latest.json, and its tables into the README. */
export const writeReport = (report: Report): void => {
  mkdirSync(results, { recursive: true })
  writeFileSync(new URL('latest.json', results), `${JSON.stringify(report, null, 2)}\n`)
  const text = readFileSync(readme, 'utf8')
  writeFileSync(
    readme,
    text.replace(figures, () => `\n${renderReport(report)}\n\n`),
  )
}
