import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { SigningAlgorithm } from '../../src/oauth/algorithm.ts'

/** A registered machine that asks for tokens with its own credentials. */
export type Machine = { readonly clientId: string; readonly clientSecret: string }

/** What the measured requests come from. */
export type Registrations = {
  readonly machines: Readonly<Record<MeasuredAlgorithm, Machine>>
  /** Public client that the seeded families belong to. */
  readonly appClientId: string
}

/** RS256 is the default; EdDSA is set for an audience. */
export const measuredAlgorithms = ['RS256', 'EdDSA'] as const satisfies SigningAlgorithm[]
export type MeasuredAlgorithm = (typeof measuredAlgorithms)[number]

/** Resource servers that the measured tokens are for, by the algorithm that signs them. */
export const audienceOf: Readonly<Record<MeasuredAlgorithm, string>> = {
  RS256: 'https://rs256.bench.example',
  EdDSA: 'https://eddsa.bench.example',
}

export const scope = 'orders:read'

/** Registers audiences and clients by the command line, as an operator would. */
export const register = (env: Readonly<Record<string, string>>): Registrations => {
  tessera(env, ['audiences', 'set', audienceOf.EdDSA, '--algorithm', 'EdDSA'])
  const audiences = measuredAlgorithms.flatMap((each) => ['--audience', audienceOf[each]])
  const app = ['--grant', 'refresh_token', '--auth-method', 'none', ...audiences]
  tessera(env, ['clients', 'create', '--id', 'app', '--name', 'app', '--scope', scope, ...app])
  return {
    machines: { RS256: registerMachine(env, 'RS256'), EdDSA: registerMachine(env, 'EdDSA') },
    appClientId: 'app',
  }
}

const registerMachine = (
  env: Readonly<Record<string, string>>,
  algorithm: MeasuredAlgorithm,
): Machine => {
  const target = ['--grant', 'client_credentials', '--audience', audienceOf[algorithm]]
  const created = tessera(env, [
    ...['clients', 'create', '--name', algorithm, '--scope', scope, '--json'],
    ...target,
  ])
  const { client_id: clientId, client_secret: clientSecret } = JSON.parse(created) as {
    client_id: string
    client_secret: string
  }
  return { clientId, clientSecret }
}

const commandLine = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

const tessera = (env: Readonly<Record<string, string>>, args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [commandLine, ...args], {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`tessera ${args.join(' ')}: ${stderr}`)
  return stdout
}
