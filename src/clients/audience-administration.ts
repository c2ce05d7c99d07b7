import type { Act } from '../audit/act.ts'
import { type SigningAlgorithm, signingAlgorithms } from '../oauth/algorithm.ts'
import { isAudience } from '../oauth/audience.ts'
import { Problem } from '../oauth/problem.ts'
import { isScopeToken } from '../oauth/scope.ts'
import type { Audience } from './audience.ts'
import type { AudienceStore } from './audience-store.ts'
import { firstPartyClientId } from './client.ts'
import type { ClientStore } from './client-store.ts'

/** What an operator says of an audience; an absent member takes the service's default. */
export type AudienceInput = {
  readonly name: string
  readonly signingAlgorithm?: string
  /** 1 to 86 400. */
  readonly accessTokenTtlSeconds?: number
  /** All scopes that it knows; tokens for it have no others. Absent: any. */
  readonly scope?: readonly string[]
}

/** What an operator may do with audiences. Every act is audited with who did it. */
export type AudienceAdministration = {
  /**
   * Creates or replaces the settings of an audience. Tokens follow them at once on this node, and
   * within a minute on the others.
   * @throws {Problem} validation, with all faults at once.
   */
  set(input: AudienceInput, act: Act): Promise<Audience>
  /** By name. */
  list(): Promise<Audience[]>
}

type AudienceAdministrationOptions = {
  readonly store: AudienceStore
  /** After the commit, before the answer: this node and the others learn the new settings. */
  readonly announce: () => Promise<void>
  readonly clients: Pick<ClientStore, 'find'>
  /** Audiences that the tokens of people have together, as far as this process is configured. */
  readonly firstPartyAudience: readonly string[]
}

const longestLifetimeSeconds = 86_400

type Rule = readonly [field: string, message: string, isBroken: (input: AudienceInput) => boolean]

const rules: readonly Rule[] = [
  ['audience', 'must be a URI or a plain name', ({ name }) => !isAudience(name)],
  [
    'signing_algorithm',
    `must be one of ${signingAlgorithms.join(', ')}`,
    ({ signingAlgorithm: algorithm }) => algorithm !== undefined && !isAlgorithm(algorithm),
  ],
  [
    'access_token_ttl_seconds',
    `must be a whole number from 1 to ${longestLifetimeSeconds}`,
    ({ accessTokenTtlSeconds: seconds }) => seconds !== undefined && !isLifetime(seconds),
  ],
  [
    'scope',
    'must be scope tokens: printable ASCII characters without spaces, quotes and backslashes',
    ({ scope = [] }) => !scope.every(isScopeToken),
  ],
]

export const createAudienceAdministration = ({
  store,
  clients,
  announce,
  firstPartyAudience,
}: AudienceAdministrationOptions): AudienceAdministration => ({
  async set(input, { actor, origin }) {
    const fields = rules.flatMap(([field, message, isBroken]) =>
      isBroken(input) ? [{ field, message }] : [],
    )
    if (fields.length > 0) throw new Problem('validation', { fields })
    const audience = input as Audience
    const stored = await store.list()
    // A command may know nothing but the database, where the service has said whom its tokens are for.
    const builtIn = await clients.find(firstPartyClientId)
    for (const shared of [firstPartyAudience, builtIn?.audience ?? []]) {
      refuseSplit(audience, shared, stored)
    }
    await store.set(audience, {
      type: 'audience.updated',
      outcome: 'success',
      actor,
      details: {
        audience: audience.name,
        signing_algorithm: audience.signingAlgorithm ?? null,
        access_token_ttl_seconds: audience.accessTokenTtlSeconds ?? null,
        ...(audience.scope === undefined ? {} : { scope: audience.scope }),
      },
      origin,
    })
    await announce()
    return audience
  },
  list: () => store.list(),
})

/**
 * A token has one signature, so audiences that share tokens cannot want two algorithms. Only those
 * of people: a registered client can ask for tokens for one of its audiences at a time.
 */
const refuseSplit = (
  { name, signingAlgorithm }: Audience,
  shared: readonly string[],
  stored: readonly Audience[],
): void => {
  const other = stored.find(
    (each) => each.name !== name && shared.includes(each.name) && each.signingAlgorithm,
  )
  if (
    !shared.includes(name) ||
    !signingAlgorithm ||
    !other ||
    other.signingAlgorithm === signingAlgorithm
  )
    return
  const message = `must be ${other.signingAlgorithm}, as for ${other.name}: people get tokens for both at once`
  throw new Problem('validation', { fields: [{ field: 'signing_algorithm', message }] })
}

const isAlgorithm = (name: string): boolean => signingAlgorithms.includes(name as SigningAlgorithm)

const isLifetime = (seconds: number): boolean =>
  Number.isInteger(seconds) && seconds >= 1 && seconds <= longestLifetimeSeconds
