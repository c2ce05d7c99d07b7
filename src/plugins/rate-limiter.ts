import type { Config } from '../config.ts'

/** The limits that have a name and a variable `RATE_LIMIT_<PROFILE>`. */
export type RateLimitProfile = keyof Config['rateLimits']

/** Where a request stands within its limit, itself included. */
export type Count = {
  readonly isOver: boolean
  /** Requests that may follow in the present window. */
  readonly remaining: number
  /** Milliseconds until the window ends, at least 1. */
  readonly resetMs: number
}

/** Counts requests in fixed windows, for all nodes together where they share something. */
export type RateLimiter = {
  /**
   * Counts one request. Never fails: what cannot be counted together is counted in the process.
   * @param by what the key is
   * @param key whose requests are counted together
   * @returns undefined for a limit that is switched off
   */
  count(
    profile: RateLimitProfile,
    by: RateLimitKey | 'client',
    key: string,
  ): Promise<Count | undefined>
}

/** What a request is counted by, as far as it says so itself. */
export type RateLimitKey = 'address' | 'account' | 'family'

type Plan = {
  /** Before the body is read. */
  readonly onRequest?: { readonly profile: RateLimitProfile; readonly by: 'address' }
  /** Of what stands in the body, before anything is done with it. */
  readonly onBody?: BodyRule
}

export type BodyRule = {
  readonly profile: RateLimitProfile
  readonly by: Exclude<RateLimitKey, 'address'>
  /** Where the body holds no such key. */
  readonly otherwise?: 'address'
}

/**
 * By what each profile counts. A client counts once it has proved who it is, or anybody could use
 * up another's limit: see `limitClient`. Until then its request counts as any other of its address.
 */
export const rateLimitPlans: Readonly<Record<RateLimitProfile, Plan>> = {
  default: { onRequest: { profile: 'default', by: 'address' } },
  sign_in: {
    onRequest: { profile: 'sign_in', by: 'address' },
    onBody: { profile: 'sign_in', by: 'account' },
  },
  registration: { onRequest: { profile: 'registration', by: 'address' } },
  refresh: { onBody: { profile: 'refresh', by: 'family', otherwise: 'address' } },
  token: {
    onRequest: { profile: 'default', by: 'address' },
    onBody: { profile: 'refresh', by: 'family' },
  },
  introspection: { onRequest: { profile: 'introspection', by: 'address' } },
  user_code: { onRequest: { profile: 'user_code', by: 'address' } },
  // No route names it: the page that takes the codes counts by itself.
  user_codes: {},
  admin: { onRequest: { profile: 'admin', by: 'address' } },
}
