import { createHmac, createSecretKey, hash, timingSafeEqual } from 'node:crypto'

/** For secrets with at least 128 bits of entropy; passwords need a password hash instead. */
export const sha256 = (data: string | Uint8Array): Buffer => hash('sha256', data, 'buffer')

/**
 * HMAC-SHA-256 of the parts as they follow each other. The key goes in as a key object, because
 * node:crypto takes ten microseconds to find out that bytes are none.
 */
export const hmacSha256 = (key: Uint8Array, ...parts: readonly (string | Uint8Array)[]): Buffer => {
  const hmac = createHmac('sha256', createSecretKey(key))
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

/** Compares without telling by its duration where two values differ; their lengths are no secret. */
export const equalInConstantTime = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && timingSafeEqual(a, b)
