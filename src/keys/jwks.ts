import { sha256 } from '../secrets/digest.ts'
import type { OpenedKey } from './signing-key.ts'

/** How long a verifier may go on with the keys it has; seconds. */
export const jwksMaxAgeSeconds = 300
export const jwksStaleWhileRevalidateSeconds = 60

/** `Cache-Control` of the published keys. */
export const jwksCacheControl = `public, max-age=${jwksMaxAgeSeconds}, stale-while-revalidate=${jwksStaleWhileRevalidateSeconds}`

/** A JWK Set (RFC 7517 §5) ready to be sent, with its strong entity tag. */
export type Jwks = { readonly body: string; readonly etag: string }

/** The same keys always give the same bytes, on every node. */
export const createJwks = (keys: readonly OpenedKey[]): Jwks => {
  const ordered = [...keys].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
  const body = JSON.stringify({ keys: ordered.map((key) => key.publicJwk) })
  return { body, etag: `"${sha256(body).toString('base64url')}"` }
}

const sortKey = (key: OpenedKey): string => `${key.algorithm} ${key.keyId}`
