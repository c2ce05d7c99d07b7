import { isIPv4 } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Act } from '../audit/act.ts'
import type { Origin } from '../audit/event.ts'
import type { AuditWriter } from '../audit/writer.ts'
import { Problem } from '../oauth/problem.ts'
import { sha256 } from '../secrets/digest.ts'
import { networkPrefix } from '../tokens/network-prefix.ts'
import type { AccountDigest } from './account-digest.ts'
import type { AttemptStore } from './attempt-store.ts'
import {
  type Counter,
  countersOf,
  daySeconds,
  type LockoutConfig,
  lockSecondsOf,
} from './lockout-policy.ts'
import type { PasswordVerdict } from './password-verification.ts'
import type { User, UserReference } from './user.ts'

/** Somebody tries a password. */
export type Attempt = {
  readonly account: UserReference
  readonly origin: Origin
  /** A device of the account's owner, as `knownDevices` recognised it. */
  readonly device?: string | undefined
}

export type Lockout = {
  /**
   * Counts an attempt before its password is looked at, so that no number of attempts at once gets
   * more of them looked at than one after the other. Names that nobody has are counted alike.
   * @throws {Problem} `too_many_attempts` with the seconds to wait; then nothing was looked at.
   */
  guard(attempt: Attempt, verify: () => Promise<PasswordVerdict>): Promise<PasswordVerdict>
  /**
   * Lets everybody try again to sign in to the account. Audited first: no unlock goes untold.
   * @throws {Unavailable} when the log, or the counts of the other nodes, cannot be reached.
   */
  unlock(user: Pick<User, 'id' | 'email' | 'username'>, act: Act): Promise<void>
}

export type LockoutParts = {
  readonly config: LockoutConfig
  readonly store: AttemptStore
  readonly digest: AccountDigest
  readonly auditWriter: Pick<AuditWriter, 'record' | 'write'>
  /** How long an attempt waits while others under way hold all places; 2 s by default. */
  readonly longestWaitMs?: number
}

/**
 * No number of failures: the mark of a lock. Attempts that were under way when it was set are taken
 * back from it, so whatever is nearer to it than to any number of failures is locked.
 */
const locked = 1_000_000

type Counted = Counter & { readonly count: number; readonly secondsLeft: number }

const retryMs = 25

export const createLockout = (parts: LockoutParts): Lockout => {
  const { config, store, digest, auditWriter, longestWaitMs = 2000 } = parts

  const add = (counters: readonly Counter[]): Promise<Counted[]> =>
    Promise.all(
      counters.map(async (counter) => ({
        ...counter,
        ...(await store.add(counter.key, counter.windowSeconds)),
      })),
    )

  const count = async ({ account, origin, device }: Attempt): Promise<Counted[]> => {
    const traits = { account: digest(account), network: networkOf(origin), device }
    const counters = countersOf(traits, config)
    // An address that is locked leaves no names behind.
    const shared = await add(counters.filter(({ personal }) => !personal))
    return shared.some(isBeyond)
      ? shared
      : [...shared, ...(await add(counters.filter(({ personal }) => personal)))]
  }

  const takeBack = async (counted: readonly Counted[]): Promise<void> => {
    const mine = counted.filter(isOpen)
    await Promise.all(mine.map(({ key, windowSeconds }) => store.takeBack(key, windowSeconds)))
  }

  const enter = async (attempt: Attempt, deadline: number): Promise<Counted[]> => {
    const counted = await count(attempt)
    if (!counted.some(isBeyond)) return counted
    await takeBack(counted)
    // The last places are taken by attempts under way, which free them or lock in a moment.
    if (counted.every(isOpen) && performance.now() < deadline) {
      await pause(retryMs)
      return enter(attempt, deadline)
    }
    throw new Problem('too_many_attempts', { retryAfterSeconds: waitOf(counted) })
  }

  const lock = async (counter: Counted, { origin }: Attempt, userId?: string): Promise<void> => {
    const { count: lockout } = await store.add(levelOf(counter.key), daySeconds)
    const seconds = lockSecondsOf(lockout, config)
    await store.set(counter.key, locked, seconds)
    auditWriter.record({
      type: 'sign_in.locked',
      outcome: 'failure',
      ...(userId === undefined ? {} : { subject: userId }),
      details: { scope: counter.scope, failures: counter.allowance, seconds, lockout },
      origin,
    })
  }

  const settle = async (counted: readonly Counted[]): Promise<void> => {
    await takeBack(counted.filter(({ personal }) => !personal))
    const keys = counted.flatMap(({ personal, key }) => (personal ? [key, levelOf(key)] : []))
    await Promise.all(keys.map((key) => store.forget(key)))
  }

  return {
    async guard(attempt, verify) {
      const counted = await enter(attempt, performance.now() + longestWaitMs)
      const verdict = await verify().catch(async (error: unknown) => {
        await takeBack(counted)
        throw error
      })
      if (verdict.ok) {
        await settle(counted)
        return verdict
      }
      // Whoever took the last place and failed: once for each lockout.
      const full = counted.filter(({ count, allowance }) => count === allowance)
      await Promise.all(full.map((counter) => lock(counter, attempt, verdict.userId)))
      return verdict
    },

    async unlock({ id, email, username }, { actor, origin }) {
      const told = { outcome: 'success', actor, subject: id, origin } as const
      await auditWriter.write({ type: 'user.unlocked', ...told })
      const names = [{ id }, { email }, ...(username === null ? [] : [{ username }])]
      for (const name of names) {
        const key = `account:${digest(name)}`
        await Promise.all([store.erase(key), store.erase(levelOf(key))])
      }
    },
  }
}

const levelOf = (key: string): string => `lockouts:${key}`

const isBeyond = ({ count, allowance }: Counted): boolean => count > allowance

const isOpen = ({ count }: Counted): boolean => count < locked / 2

// Places that are only taken by attempts under way are free again in a moment.
const waitOf = (counted: readonly Counted[]): number =>
  Math.max(1, ...counted.map((counter) => (isOpen(counter) ? 1 : counter.secondsLeft)))

// Whoever has an IPv6 address has its /64.
const networkOf = ({ address }: Origin): string | undefined => {
  if (address === undefined) return undefined
  const network = isIPv4(address) ? address : networkPrefix(address)
  return sha256(network).subarray(0, 16).toString('base64url')
}
