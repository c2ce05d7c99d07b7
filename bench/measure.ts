import type { OpenCase, Scene } from './cases/case.ts'
import { clientCredentials } from './cases/client-credentials.ts'
import { type Comparison, compare } from './cases/compare.ts'
import { type Flood, flood } from './cases/flood.ts'
import { jwks } from './cases/jwks.ts'
import { refresh } from './cases/refresh.ts'
import { signIn } from './cases/sign-in.ts'
import { countCosts } from './measures/counts.ts'
import { residentMegabytes } from './measures/memory.ts'
import { measureStarts } from './measures/start-time.ts'
import { measurePeers } from './peers/measure.ts'
import type { Plan } from './plan.ts'
import { startService } from './processes/service.ts'
import type { Figure } from './report/figure.ts'
import { countFigures, floodFigures, memoryFigures, startFigures } from './report/figures.ts'
import { describeCommit, describeMachine } from './report/machine.ts'
import type { Report } from './report/report.ts'
import { createRefreshTokens, type RefreshTokens } from './setup/refresh-tokens.ts'
import { type Stage, setStage } from './setup/stage.ts'

/** Told what is measured next. */
export type Progress = (step: string) => void

/** Measures everything. Servers that it starts end with the run at the latest. */
export const measure = async (
  plan: Plan,
  withPeers: boolean,
  progress: Progress,
): Promise<Report> => {
  const startedAt = new Date()
  const machine = describeMachine()
  const commit = describeCommit()
  progress('starts against Postgres, and rows for all cases')
  const stage = await setStage(plan)
  const tokens = createTokens(stage)
  const loaded = await measureUnderLoad(stage, tokens, plan, progress)
  progress('round trips and log bytes')
  const counts = await countCosts({
    ...stage,
    tokens: tokens.RS256,
    connections: plan.connections,
    countingMs: plan.countingMs,
  })
  if (withPeers) progress('peers')
  const peers = withPeers ? await measurePeers(stage, plan) : []
  progress('starts in the embedded mode')
  const embedded = await measureStarts({}, plan.starts)
  const { comparisons, flood: flooded, memory } = loaded
  return {
    startedAt: startedAt.toISOString(),
    minutes: (Date.now() - startedAt.getTime()) / 60_000,
    commit,
    machine,
    postgres: stage.postgres,
    plan,
    comparisons,
    peers,
    flood: flooded,
    figures: [
      ...floodFigures(flooded),
      ...countFigures(counts),
      ...startFigures(stage.starts, embedded),
      ...memory,
    ],
  }
}

const createTokens = ({ seed, registrations }: Stage) => {
  const of = (algorithm: 'RS256' | 'EdDSA'): RefreshTokens =>
    createRefreshTokens(
      seed.families[algorithm].map(({ refreshToken }) => refreshToken),
      registrations.appClientId,
    )
  return { RS256: of('RS256'), EdDSA: of('EdDSA') }
}

type Loaded = {
  readonly comparisons: readonly Comparison[]
  readonly flood: Flood
  readonly memory: readonly Figure[]
}

/** Everything that one service goes through from its start to its end. */
const measureUnderLoad = async (
  stage: Stage,
  tokens: ReturnType<typeof createTokens>,
  plan: Plan,
  progress: Progress,
): Promise<Loaded> => {
  const service = await startService(stage.env)
  const scene: Scene = { ...stage, service, connections: plan.connections }
  const run = async (open: OpenCase): Promise<Comparison> => {
    const measured = await open(scene)
    progress(measured.name)
    const comparison = await compare(measured, plan)
    await measured.close()
    return comparison
  }
  const grants = [await run(clientCredentials('RS256')), await run(clientCredentials('EdDSA'))]
  const refreshes = await run(refresh('RS256', tokens.RS256))
  const fasterRefreshes = await run(refresh('EdDSA', tokens.EdDSA))
  const afterTokens = residentMegabytes(service.pid)
  const keys = await run(jwks)
  const signIns = await run(signIn)
  progress('refreshes in a flood of sign-ins')
  const rates = { refreshes: refreshes.service.perSecond, signIns: signIns.service.perSecond }
  const flooded = await flood(scene, tokens.RS256, rates, plan)
  const memory = memoryFigures(afterTokens, residentMegabytes(service.pid))
  await service.stop()
  const comparisons = [...grants, refreshes, fasterRefreshes, signIns, keys]
  return { comparisons, flood: flooded, memory }
}
