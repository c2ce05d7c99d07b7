import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'

const results = new URL('../results/', import.meta.url)
const readme = new URL('../README.md', import.meta.url)

/** Puts a report into results/<name>.json, and its text into its place in the README. */
export const writeReport = (name: 'latest' | 'growth', report: object, text: string): void => {
  mkdirSync(results, { recursive: true })
  writeFileSync(new URL(`${name}.json`, results), `${JSON.stringify(report, null, 2)}\n`)
  const place = new RegExp(`(?<=<!-- ${name} -->\\n).*(?=<!-- /${name} -->)`, 's')
  const whole = readFileSync(readme, 'utf8')
  writeFileSync(
    readme,
    whole.replace(place, () => `\n${text}\n\n`),
  )
}
