import { runClosedLoop } from '../load/closed-loop.ts'
import { runOpenLoop } from '../load/open-loop.ts'
import { medianSample, type Sample } from '../load/sample.ts'
import type { Progress } from '../measure.ts'
import { fullPlan, type Plan } from '../plan.ts'
import { startService } from '../processes/service.ts'
import type { Figure } from '../report/figure.ts'
import { describeCommit, describeMachine, type Machine } from '../report/machine.ts'
import { createRefreshTokens, type RefreshTokens } from '../setup/refresh-tokens.ts'
import { type Stage, setStage } from '../setup/stage.ts'
import { addFamilies } from './filler.ts'

/** What many families do to the latency of a refresh. */
export type GrowthReport = {
  /** ISO 8601. */
  readonly startedAt: string
  readonly commit: string
  readonly machine: Machine
  readonly postgres: string
  readonly few: { readonly families: number; readonly sample: Sample }
  readonly many: { readonly families: number; readonly sample: Sample }
  readonly figures: readonly Figure[]
}

const plan: Plan = { ...fullPlan, starts: 0, families: 5000 }
const rounds = 5
const offerMs = 8000

/** Refreshes of the same families, in a table of few and in one of many, in turns. */
export const measureGrowth = async (
  families: number,
  progress: Progress,
): Promise<GrowthReport> => {
  const origin = {
    startedAt: new Date().toISOString(),
    commit: describeCommit(),
    machine: describeMachine(),
  }
  progress('rows')
  const stage = await setStage(plan)
  progress(`${families} families more`)
  await addFamilies(stage.twinDatabaseUrl, families)
  const few = await openSide(stage, stage.databaseUrl)
  const many = await openSide(stage, stage.twinDatabaseUrl)
  progress('refreshes')
  for (const side of [few, many]) await side.warmUp()
  const perSecond = (await few.warmUp()).perSecond / 4
  for (let round = 0; round < rounds; round += 1) {
    for (const side of round % 2 === 0 ? [few, many] : [many, few]) await side.offer(perSecond)
  }
  for (const side of [few, many]) await side.stop()
  const samples = [medianSample(few.samples), medianSample(many.samples)] as const
  return {
    ...origin,
    postgres: stage.postgres,
    few: { families: 2 * plan.families, sample: samples[0] },
    many: { families: 2 * plan.families + families, sample: samples[1] },
    figures: growthFigures(perSecond, ...samples),
  }
}

const openSide = async (stage: Stage, databaseUrl: string) => {
  const service = await startService({ ...stage.env, DATABASE_URL: databaseUrl })
  const tokens: RefreshTokens = createRefreshTokens(
    stage.seed.families.RS256.map(({ refreshToken }) => refreshToken),
    stage.registrations.appClientId,
  )
  const samples: Sample[] = []
  const script = tokens.scriptOf(0, 1)
  const { connections, warmUpMs, durationMs } = plan
  const load = { port: service.port, connections }
  return {
    samples,
    warmUp: () => runClosedLoop({ ...load, warmUpMs, durationMs, scriptOf: () => script }),
    async offer(perSecond: number): Promise<void> {
      const timing = { warmUpMs: 1000, durationMs: offerMs }
      samples.push(await runOpenLoop({ ...load, ...timing, perSecond, script }))
    },
    stop: service.stop,
  }
}

const growthFigures = (perSecond: number, few: Sample, many: Sample): Figure[] => [
  {
    name: 'median latency of a refresh among many families, to that among few',
    value: many.p50 / few.p50,
    unit: '×',
    budget: { atMost: 1.2 },
    note: `${few.p50.toFixed(2)} and ${many.p50.toFixed(2)} ms, at ${Math.round(perSecond)}/s`,
  },
  {
    name: 'the same at p99',
    value: many.p99 / few.p99,
    unit: '×',
    note: `${few.p99.toFixed(2)} and ${many.p99.toFixed(2)} ms`,
  },
]
