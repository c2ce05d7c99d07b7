/** JWKS and status caches of verifiers, in seconds (Cache-Control of the JWKS and its revalidation). */
const verifierCacheSeconds = 360
/** Clock difference between us and a verifier that is tolerated, in seconds. */
const skewSeconds = 60

/**
 * How long an entry must stand: until no token that it names can be valid anywhere. Signing may
 * follow the commit of a revocation, hence the request timeout.
 */
export const revocationLifetimeSeconds = (
  longestTokenSeconds: number,
  requestTimeoutMs: number,
): number =>
  longestTokenSeconds + verifierCacheSeconds + Math.ceil(requestTimeoutMs / 1000) + skewSeconds
