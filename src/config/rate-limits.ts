/** The rate limits that can be configured, each by `RATE_LIMIT_<PROFILE>`. */
const rateLimitProfiles = [
  'default',
  'sign_in',
  'registration',
  'refresh',
  'token',
  'introspection',
  'user_code',
  'user_codes',
  'admin',
] as const

type Profile = (typeof rateLimitProfiles)[number]

/** So many requests in so many seconds. */
export type RateLimit = { readonly points: number; readonly seconds: number }

/** Undefined where a limit is switched off. */
export type RateLimits = Readonly<Record<Profile, RateLimit | undefined>>

/** The variables that hold the limits. */
export type RateLimitVariable = `RATE_LIMIT_${Uppercase<Profile>}`

/** `points/seconds`, or `off`. At most a day, which a timer of Node.js can wait. */
export const rateLimitPattern =
  '^(?:off|[1-9]\\d{0,6}/(?:[1-9]\\d{0,3}|[1-7]\\d{4}|8[0-5]\\d{3}|86[0-3]\\d{2}|86400))$'

/** What such a variable must be, as the end of a sentence. */
export const rateLimitForm =
  'points/seconds such as 10/60, at most 9999999 points and 86400 seconds, or off'

/** Reads the limits from variables that have the form. */
export const readRateLimits = (
  variables: Readonly<Record<RateLimitVariable, string>>,
): RateLimits =>
  Object.fromEntries(
    rateLimitProfiles.map((profile) => [profile, readRateLimit(variables[variableOf(profile)])]),
  ) as RateLimits

const variableOf = (profile: Profile): RateLimitVariable =>
  `RATE_LIMIT_${profile.toUpperCase() as Uppercase<Profile>}`

const readRateLimit = (text: string): RateLimit | undefined => {
  if (text === 'off') return undefined
  const [points, seconds] = text.split('/').map(Number)
  return { points: points ?? 0, seconds: seconds ?? 0 }
}
