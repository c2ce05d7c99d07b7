import { jwksMaxAgeSeconds, jwksStaleWhileRevalidateSeconds } from './jwks.ts'
import type { RotationPolicy } from './lifecycle.ts'

/** Time between two loads of the keys on a node. */
export const keyReloadIntervalMs = 30_000

/** By how much the clocks of verifiers may be wrong. */
const skewSeconds = 60

/** @param longestTokenLifetimeSeconds of any token that the keys sign. */
export const createRotationPolicy = (longestTokenLifetimeSeconds: number): RotationPolicy => ({
  longestTokenLifetimeSeconds,
  maxAgeSeconds: jwksMaxAgeSeconds,
  staleWhileRevalidateSeconds: jwksStaleWhileRevalidateSeconds,
  nodeReloadSeconds: keyReloadIntervalMs / 1000,
  skewSeconds,
})
