import { runClosedLoop } from '../load/closed-loop.ts'
import { postForm, repeat } from '../load/request.ts'
import { startTwin } from '../processes/twin.ts'
import type { Machine, MeasuredAlgorithm } from '../setup/registrations.ts'
import type { OpenCase } from './case.ts'

/** `POST /token` with `client_credentials` and client_secret_basic. */
export const clientCredentials =
  (algorithm: MeasuredAlgorithm): OpenCase =>
  async ({ service, config, registrations, connections }) => {
    const twin = await startTwin('signed', [algorithm, `${config.rsaModulusBits}`])
    const script = repeat(clientCredentialsRequest(registrations.machines[algorithm]))
    const scriptOf = () => script
    return {
      name: `client credentials, ${algorithm}`,
      limit: 'Fastify and one signature',
      budget: 0.85,
      service: (phase) => runClosedLoop({ ...phase, port: service.port, connections, scriptOf }),
      twin: (phase) => runClosedLoop({ ...phase, port: twin.port, connections, scriptOf }),
      close: twin.stop,
    }
  }

export const clientCredentialsRequest = ({ clientId, clientSecret }: Machine): string => {
  const credentials = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
  return postForm('/token', 'grant_type=client_credentials', [
    `Authorization: Basic ${credentials}`,
  ])
}
