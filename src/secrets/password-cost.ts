import { randomSecret } from './random.ts'

/** What one argon2id hash costs whoever computes it. */
export type PasswordCost = {
  readonly memoryKib: number
  /** Passes over the memory. */
  readonly timeCost: number
  /** Lanes. */
  readonly parallelism: number
}

type PhcParameters = PasswordCost & { readonly algorithm: string; readonly version: number }

const longestHash = 512
const mostExpensive: PasswordCost = { memoryKib: 1_048_576, timeCost: 100, parallelism: 16 }
const phc =
  /^\$(?<algorithm>argon2(?:id|i|d))\$(?:v=(?<version>\d{1,3})\$)?m=(?<m>\d{1,10}),t=(?<t>\d{1,10}),p=(?<p>\d{1,3})\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/

/** @returns the parameters of an argon2 hash (PHC string), undefined for anything else. */
const parsePhc = (hash: string): PhcParameters | undefined => {
  const groups = hash.length <= longestHash ? phc.exec(hash)?.groups : undefined
  if (groups === undefined) return undefined
  return {
    algorithm: groups.algorithm ?? '',
    // A hash that names no version is of argon2's first, 0x10.
    version: Number(groups.version ?? 16),
    memoryKib: Number(groups.m),
    timeCost: Number(groups.t),
    parallelism: Number(groups.p),
  }
}

/**
 * False for what is no argon2 hash, and for one so expensive that computing it would take the
 * process down: a stored hash names its own cost.
 */
const isAffordable = (hash: string): boolean => {
  const parameters = parsePhc(hash)
  return (
    parameters !== undefined &&
    parameters.memoryKib <= mostExpensive.memoryKib &&
    parameters.timeCost <= mostExpensive.timeCost &&
    parameters.parallelism <= mostExpensive.parallelism
  )
}

/** A hash of no known password, which takes as much to compute as a real one of this cost. */
export const createDummyHash = (cost: PasswordCost): string => {
  const encode = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
  const parameters = `m=${cost.memoryKib},t=${cost.timeCost},p=${cost.parallelism}`
  return `$argon2id$v=19$${parameters}$${encode(randomSecret(16))}$${encode(randomSecret(32))}`
}

/** What a password is compared with: the dummy where nothing is stored that can be computed. */
export const hashToCompute = (stored: string | null | undefined, dummy: string): string =>
  stored && isAffordable(stored) ? stored : dummy

/** True unless the hash is argon2id 1.3 of exactly this cost. */
export const differsFrom = (cost: PasswordCost, hash: string): boolean => {
  const parameters = parsePhc(hash)
  return (
    parameters?.algorithm !== 'argon2id' ||
    parameters.version !== 19 ||
    parameters.memoryKib !== cost.memoryKib ||
    parameters.timeCost !== cost.timeCost ||
    parameters.parallelism !== cost.parallelism
  )
}
