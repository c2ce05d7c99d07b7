import { clientCredentialsRequest } from '../cases/client-credentials.ts'
import { runClosedLoop } from '../load/closed-loop.ts'
import { repeat } from '../load/request.ts'
import { medianSample, type Sample } from '../load/sample.ts'
import { type Plan, settleMs } from '../plan.ts'
import { startProgram } from '../processes/program.ts'
import { nextMessage } from '../processes/twin.ts'
import { measuredAlgorithms } from '../setup/registrations.ts'
import type { Stage } from '../setup/stage.ts'
import { installPeer } from './install.ts'

/** Another implementation of the same, under the same load. */
export type PeerResult = { readonly name: string; readonly case: string; readonly sample: Sample }

const version = '9.13.3'

export const measurePeers = async (
  { registrations, config }: Stage,
  plan: Plan,
): Promise<PeerResult[]> => {
  const module = installPeer('oidc-provider', version)
  const results: PeerResult[] = []
  for (const algorithm of measuredAlgorithms) {
    const { clientId, clientSecret } = registrations.machines[algorithm]
    const peer = startProgram('bench/peers/oidc-provider.ts', {
      args: [module, algorithm, `${config.rsaModulusBits}`, clientId, clientSecret],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    const { port } = await nextMessage<{ port: number }>(peer)
    const script = repeat(clientCredentialsRequest({ clientId, clientSecret }))
    const sample = await measureRounds(port, script, plan)
    results.push({
      name: `node-oidc-provider ${version}, memory adapter`,
      case: `client credentials, ${algorithm}`,
      sample,
    })
    await peer.stop()
  }
  return results
}

const measureRounds = async (
  port: number,
  script: ReturnType<typeof repeat>,
  { rounds, warmUpMs, durationMs, connections }: Plan,
): Promise<Sample> => {
  const samples: Sample[] = []
  for (let round = 0; round < rounds; round += 1) {
    const phase = { warmUpMs: round === 0 ? warmUpMs : settleMs, durationMs }
    samples.push(await runClosedLoop({ ...phase, port, connections, scriptOf: () => script }))
  }
  return medianSample(samples)
}
