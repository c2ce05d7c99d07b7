import { median, medianSample, type Sample } from '../load/sample.ts'
import { type Plan, settleMs } from '../plan.ts'
import type { Case } from './case.ts'

/** What came of a case: medians over the rounds. */
export type Comparison = {
  readonly name: string
  readonly limit: string
  readonly service: Sample
  readonly twin: Sample
  /** Median over the rounds of the service's rate to the twin's. */
  readonly ratio: number
  /** Of every round. */
  readonly ratios: readonly number[]
  readonly budget?: number
}

/** Measures both sides in turns, each first in every other round. */
export const compare = async (measured: Case, plan: Plan): Promise<Comparison> => {
  const sides = { service: [] as Sample[], twin: [] as Sample[] }
  const { warmUpMs, durationMs } = plan
  for (let round = 0; round < plan.rounds; round += 1) {
    const phase = { warmUpMs: round === 0 ? warmUpMs : settleMs, durationMs }
    const order = round % 2 === 0 ? (['service', 'twin'] as const) : (['twin', 'service'] as const)
    for (const side of order) sides[side].push(await measured[side](phase))
  }
  const ratios = sides.service.map(
    ({ perSecond }, round) => perSecond / (sides.twin[round]?.perSecond ?? Number.NaN),
  )
  const { name, limit, budget } = measured
  return {
    name,
    limit,
    service: medianSample(sides.service),
    twin: medianSample(sides.twin),
    ratio: median(ratios),
    ratios,
    ...(budget === undefined ? {} : { budget }),
  }
}
