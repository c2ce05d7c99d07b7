import type { FastifyInstance } from 'fastify'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'

/** A resource server that keeps the key set for a while. @throws when it refuses the token. */
export type Verifier = { readonly name: string; readonly verify: (token: string) => Promise<void> }

const algorithms = ['RS256', 'ES256', 'EdDSA', 'PS256']

const verifyWith = async (token: string, keys: JWTVerifyGetKey, clockTolerance: number) => {
  await jwtVerify(token, keys, { algorithms, clockTolerance })
}

/** Reads the keys again only when they are older than `cacheMs`, never for an unknown key. */
export const createCachingVerifier = (
  app: FastifyInstance,
  cacheMs: number,
  clockTolerance = 0,
): Verifier => {
  let readAt = Number.NEGATIVE_INFINITY
  let keys: Promise<JWTVerifyGetKey> | undefined
  const read = async (): Promise<JWTVerifyGetKey> => {
    const response = await app.inject({ url: '/.well-known/jwks.json' })
    return createLocalJWKSet(response.json<JSONWebKeySet>())
  }
  return {
    name: `a cache of ${cacheMs} ms`,
    verify: async (token) => {
      const now = performance.now()
      if (keys === undefined || now - readAt > cacheMs) {
        readAt = now
        keys = read()
      }
      await verifyWith(token, await keys, clockTolerance)
    },
  }
}

/** jose's own cache, which by its cooldown asks nothing for an unknown key either. */
export const createJoseVerifier = (url: string, cacheMs: number, clockTolerance = 0): Verifier => {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', url), {
    cacheMaxAge: cacheMs,
    cooldownDuration: 3_600_000,
  })
  return {
    name: `jose with a cache of ${cacheMs} ms`,
    verify: (token) => verifyWith(token, keys, clockTolerance),
  }
}
