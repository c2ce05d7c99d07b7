import { jwksMaxAgeSeconds, jwksStaleWhileRevalidateSeconds } from './jwks.ts'
import type { RotationPolicy } from './lifecycle.ts'

/** Times of the rings that do not depend on the tokens; seconds. Tests shorten them. */
export type KeyTiming = Omit<RotationPolicy, 'longestTokenLifetimeSeconds'>

export const defaultKeyTiming: KeyTiming = {
  minimumPublicationSeconds: 86_400,
  maxAgeSeconds: jwksMaxAgeSeconds,
  staleWhileRevalidateSeconds: jwksStaleWhileRevalidateSeconds,
  nodeReloadSeconds: 30,
  skewSeconds: 60,
}

/** @param longestTokenLifetimeSeconds of any token that the keys sign. */
export const createRotationPolicy = (
  longestTokenLifetimeSeconds: number,
  timing: KeyTiming = defaultKeyTiming,
): RotationPolicy => ({ longestTokenLifetimeSeconds, ...timing })
