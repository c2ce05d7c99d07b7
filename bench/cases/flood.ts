import { runOpenLoop } from '../load/open-loop.ts'
import { median, type Sample } from '../load/sample.ts'
import { type Plan, settleMs } from '../plan.ts'
import type { RefreshTokens } from '../setup/refresh-tokens.ts'
import type { Scene } from './case.ts'
import { signInScript } from './sign-in.ts'

/** What a flood of sign-ins does to refreshes. Milliseconds. */
export type Flood = {
  readonly refreshesPerSecond: number
  readonly signInsPerSecond: number
  readonly calm: Tail
  readonly flooded: Tail
  /** Median of `flooded` to `calm` at p99. */
  readonly ratio: number
  /** Of the sign-ins of a flood. */
  readonly answered: number
  readonly shed: number
}

type Tail = { readonly p50: number; readonly p99: number }

/** Highest rates that were measured before. */
export type Rates = { readonly refreshes: number; readonly signIns: number }

const refreshShare = 0.25
/** Far more than the hashing pool and its queue take, so that most are shed. */
const signInFactor = 4

/** Offers refreshes at a fixed rate, in turns with and without sign-ins at a fixed rate beside. */
export const flood = async (
  { service: { port }, seed }: Scene,
  tokens: RefreshTokens,
  rates: Rates,
  plan: Plan,
): Promise<Flood> => {
  const refreshesPerSecond = rates.refreshes * refreshShare
  const signInsPerSecond = rates.signIns * signInFactor
  const timing = { port, warmUpMs: settleMs * 5, durationMs: plan.floodMs }
  const refreshScript = tokens.scriptOf(0, 1)
  const offerRefreshes = () =>
    runOpenLoop({
      ...timing,
      connections: 64,
      perSecond: refreshesPerSecond,
      script: refreshScript,
    })
  const offerSignIns = () =>
    runOpenLoop({
      ...timing,
      connections: 256,
      perSecond: signInsPerSecond,
      script: signInScript(seed),
      mayShed: true,
    })

  const calm: Sample[] = []
  const flooded: Sample[] = []
  const signIns: Sample[] = []
  for (let round = 0; round < plan.floodRounds; round += 1) {
    calm.push(await offerRefreshes())
    const [refreshes, beside] = await Promise.all([offerRefreshes(), offerSignIns()])
    flooded.push(refreshes)
    signIns.push(beside)
  }
  const ratios = flooded.map(({ p99 }, round) => p99 / (calm[round]?.p99 ?? Number.NaN))
  return {
    refreshesPerSecond,
    signInsPerSecond,
    calm: tailOf(calm),
    flooded: tailOf(flooded),
    ratio: median(ratios),
    answered: median(signIns.map(({ answers }) => answers)),
    shed: median(signIns.map(({ shed }) => shed)),
  }
}

const tailOf = (samples: readonly Sample[]): Tail => ({
  p50: median(samples.map(({ p50 }) => p50)),
  p99: median(samples.map(({ p99 }) => p99)),
})
