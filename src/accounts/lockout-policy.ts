import type { Config } from '../config.ts'

export type LockoutConfig = Pick<Config, 'maxLoginAttempts' | 'lockoutSeconds'>

/** One of the counts that an attempt goes into. */
export type Counter = {
  readonly scope: 'account' | 'device' | 'account_address' | 'address'
  readonly key: string
  /** Failures after which it locks. */
  readonly allowance: number
  readonly windowSeconds: number
  /** Whether a success wipes it out; elsewhere a success only does not count. */
  readonly personal: boolean
}

/** What is known of an attempt, digested. */
export type AttemptTraits = {
  /** Digest of the name. */
  readonly account: string
  /** Network of the client. */
  readonly network: string | undefined
  /** A device from which the account was signed in to before. */
  readonly device: string | undefined
}

export const daySeconds = 24 * 60 * 60

// Several people share an address; slow guessing from one address takes many windows.
const addressFactor = 20
const slowFactor = 4
const slowWindows = 12
const longestFactor = 16

/**
 * What an attempt is counted by. A known device has a counter of its own in place of all others:
 * whoever locks the account, or the address that they share, does not lock out its owner.
 */
export const countersOf = (
  { account, network, device }: AttemptTraits,
  { maxLoginAttempts, lockoutSeconds }: LockoutConfig,
): Counter[] => {
  const brief = { allowance: maxLoginAttempts, windowSeconds: lockoutSeconds, personal: true }
  if (device !== undefined) {
    return [{ scope: 'device', key: `device:${account}:${device}`, ...brief }]
  }
  const who: Counter = { scope: 'account', key: `account:${account}`, ...brief }
  if (network === undefined) return [who]
  const slow: Counter = {
    scope: 'account_address',
    key: `account_address:${account}:${network}`,
    allowance: slowFactor * maxLoginAttempts,
    windowSeconds: slowWindows * lockoutSeconds,
    personal: true,
  }
  const address: Counter = {
    scope: 'address',
    key: `address:${network}`,
    allowance: addressFactor * maxLoginAttempts,
    windowSeconds: lockoutSeconds,
    personal: false,
  }
  return [who, slow, address]
}

/** How long the nth lockout within a day lasts: twice as long as the one before, bounded. */
export const lockSecondsOf = (lockout: number, { lockoutSeconds }: LockoutConfig): number =>
  lockoutSeconds * Math.min(2 ** (lockout - 1), longestFactor)
