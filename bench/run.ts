/**
 * npm run bench: measures the service beside what the machine allows at most, in the same run.
 *
 *   npm run bench [-- --smoke | --growth <families>] [--peers]
 *
 * Takes under ten minutes, prints the tables, and puts them into bench/README.md and
 * bench/results/latest.json. `--smoke` takes under a minute, writes nothing, and fails when a ratio
 * is far below its budget. `--peers` measures another implementation beside, installed for the run.
 * `--growth` compares refreshes in a table of few families with those among so many more.
 */
import { parseArgs } from 'node:util'
import { openRun } from '../test/support/run-folder.ts'
import { measureGrowth } from './growth/measure.ts'
import { measure } from './measure.ts'
import { fullPlan, smokePlan } from './plan.ts'
import type { Report } from './report/report.ts'
import { renderGrowth, renderReport } from './report/table.ts'
import { writeReport } from './report/write.ts'

/** In a smoke run, one short round beside whatever else the machine does. */
const generosity = 0.3

const run = openRun()
process.env.TEST_RUN_FOLDER = run.folder
for (const [signal, code] of Object.entries({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 })) {
  process.once(signal, () => void run.close().finally(() => process.exit(code)))
}
try {
  await main()
} finally {
  await run.close()
}

async function main(): Promise<void> {
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({
    options: { smoke: flag, peers: flag, growth: { type: 'string' } },
  })
  if (values.growth === undefined) await compareWithTwins(values)
  else await compareSizes(Number(values.growth))
}

function progress(step: string): void {
  console.error(`… ${step}`)
}

async function compareWithTwins({ smoke, peers }: { smoke: boolean; peers: boolean }) {
  const report = await measure(smoke ? smokePlan : fullPlan, peers, progress)
  const text = renderReport(report)
  console.log(text)
  if (smoke) checkGenerously(report)
  else writeReport('latest', report, text)
}

async function compareSizes(families: number): Promise<void> {
  const report = await measureGrowth(families, progress)
  const text = renderGrowth(report)
  console.log(text)
  writeReport('growth', report, text)
}

function checkGenerously({ comparisons }: Report): void {
  for (const { name, ratio, budget = 0 } of comparisons) {
    if (ratio >= budget * generosity) continue
    console.error(`${name}: ${Math.round(ratio * 100)} % of its limit`)
    process.exitCode = 1
  }
}
