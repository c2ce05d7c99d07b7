import { decodeProtectedHeader } from 'jose'
import type { Test } from 'tap'
import { byOperator, createMachine, postForm } from '../endpoints/oauth/requests.ts'
import { startService, type TestService } from '../support/service.ts'

const audience = 'https://orders.example'
const origins = { old: 'https://shop.example', new: 'https://market.example' }

/** One thing that somebody changes at one node, and how far the other one has got with it. */
type Change = {
  readonly what: string
  make(): Promise<unknown>
  /** What the other node does: as before the change, as after it, or neither. */
  state(): Promise<'old' | 'new' | undefined>
}

/** 'old' or 'new' where exactly that one holds. */
const oneOf = async (holds: (which: 'old' | 'new') => Promise<boolean>) => {
  const [old, fresh] = [await holds('old'), await holds('new')]
  if (old === fresh) return undefined
  return old ? 'old' : 'new'
}

const welcomes = async ({ app }: TestService, origin: string): Promise<boolean> => {
  const { headers } = await app.inject({
    ...{ method: 'OPTIONS', url: '/token' },
    headers: { origin, 'access-control-request-method': 'POST' },
  })
  return headers['access-control-allow-origin'] === origin
}

/** Two nodes, of which the second has in memory all that is going to be changed at the first. */
export const openChanges = async (
  t: Test,
  environment: Readonly<Record<string, string>>,
): Promise<{ nodes: readonly [TestService, TestService]; changes: readonly Change[] }> => {
  const near = await startService(t, environment)
  const { clientAdministration, audienceAdministration } = near.deps
  const { id, headers } = await createMachine(near.deps, {
    grantTypes: ['client_credentials'],
    scope: ['both', 'old'],
    audience: [audience],
    corsOrigins: [origins.old],
  })
  const far = await startService(t, { ...environment, DATABASE_URL: near.databaseUrl })
  const ask = (scope: string) =>
    postForm(far.app, '/token', { grant_type: 'client_credentials', scope }, headers)
  const changes: Change[] = [
    {
      what: 'the scope of a client',
      make: () => clientAdministration.update(id, { scope: ['both', 'new'] }, byOperator),
      state: () => oneOf(async (which) => (await ask(which)).statusCode === 200),
    },
    {
      what: 'the CORS origins of a client',
      make: () => clientAdministration.update(id, { corsOrigins: [origins.new] }, byOperator),
      state: () => oneOf((which) => welcomes(far, origins[which])),
    },
    {
      what: 'the algorithm of an audience',
      make: () =>
        audienceAdministration.set({ name: audience, signingAlgorithm: 'ES256' }, byOperator),
      state: async () => {
        const { access_token: token } = (await ask('both')).json<{ access_token: string }>()
        const algorithms = { old: 'RS256', new: 'ES256' }
        return oneOf(async (which) => decodeProtectedHeader(token).alg === algorithms[which])
      },
    },
  ]
  return { nodes: [near, far], changes }
}
