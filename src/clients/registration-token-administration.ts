import { randomUUID } from 'node:crypto'
import { isUuid } from '../accounts/user.ts'
import type { Act } from '../audit/act.ts'
import type { RecordedEvent } from '../audit/event.ts'
import { Problem } from '../oauth/problem.ts'
import { isWellFormedText } from '../oauth/text.ts'
import { createRegistrationToken } from '../secrets/registration-token.ts'
import type { RegistrationToken, RegistrationTokenStore } from './registration-token.ts'

export type RegistrationTokenInput = {
  /** Whom it was given to, for the operator. */
  readonly name: string
  /** Clients that it lets in, 1 to 10000; default 1, null: any number. */
  readonly maxUses?: number | null
  /** 60 to 31536000; default a day. */
  readonly ttlSeconds?: number
}

/** The token itself is shown this once. */
export type TokenWithSecret = {
  readonly registrationToken: RegistrationToken
  readonly token: string
}

/**
 * Tokens by which clients may register themselves, as operators hand them out. Audited.
 * @throws {Problem} validation, with all faults at once; not_found
 */
export type RegistrationTokenAdministration = {
  create(input: RegistrationTokenInput, act: Act): Promise<TokenWithSecret>
  list(): Promise<RegistrationToken[]>
  /** Nobody registers by it any more; who has done so stays. Idempotent. */
  revoke(id: string, act: Act): Promise<RegistrationToken>
}

const defaultTtlSeconds = 24 * 60 * 60
const longestTtlSeconds = 365 * defaultTtlSeconds
const shortestTtlSeconds = 60
const mostUses = 10_000

export const createRegistrationTokenAdministration = (
  store: RegistrationTokenStore,
): RegistrationTokenAdministration => ({
  async create({ name, maxUses = 1, ttlSeconds = defaultTtlSeconds }, act) {
    const fields = findFaults({ name, maxUses, ttlSeconds })
    if (fields.length > 0) throw new Problem('validation', { fields })
    const { token, digest } = createRegistrationToken('initial')
    const id = randomUUID()
    const registrationToken = await store.create(
      { id, name, maxUses, ttlSeconds, digest },
      describe('registration_token.created', id, act, { name, max_uses: maxUses }),
    )
    return { registrationToken, token }
  },
  list: () => store.list(),
  async revoke(id, act) {
    const event = describe('registration_token.revoked', id, act)
    const revoked = isUuid(id) ? await store.revoke(id, event) : undefined
    if (revoked !== undefined) return revoked
    throw new Problem('not_found', { detail: 'There is no such registration token' })
  },
})

const isWithin = (number: number, least: number, most: number): boolean =>
  Number.isInteger(number) && number >= least && number <= most

const findFaults = ({ name, maxUses, ttlSeconds }: Required<RegistrationTokenInput>) => {
  const rules = [
    [
      'name',
      'must be 1 to 200 characters of text',
      name.trim() !== '' && name.length <= 200 && isWellFormedText(name),
    ],
    [
      'max_uses',
      `must be a whole number from 1 to ${mostUses}`,
      maxUses === null || isWithin(maxUses, 1, mostUses),
    ],
    [
      'ttl_seconds',
      `must be a whole number from ${shortestTtlSeconds} to ${longestTtlSeconds}`,
      isWithin(ttlSeconds, shortestTtlSeconds, longestTtlSeconds),
    ],
  ] as const
  return rules.flatMap(([field, message, isMet]) => (isMet ? [] : [{ field, message }]))
}

const describe = (
  type: RecordedEvent['type'],
  id: string,
  { actor, origin }: Act,
  details: RecordedEvent['details'] = {},
): RecordedEvent => ({
  ...{ type, outcome: 'success', actor, origin },
  details: { registration_token: id, ...details },
})
