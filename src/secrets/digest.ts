import { createHmac, hash, type KeyObject, timingSafeEqual } from 'node:crypto'

/** For secrets with at least 128 bits of entropy; passwords need a password hash instead. */
export const sha256 = (data: string | Uint8Array): Buffer => hash('sha256', data, 'buffer')

/** HMAC-SHA-256 of the parts as they follow each other. */
export const hmacSha256 = (key: KeyObject, ...parts: readonly (string | Uint8Array)[]): Buffer => {
  const hmac = createHmac('sha256', key)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

/** Compares without telling by its duration where two values differ; their lengths are no secret. */
export const equalInConstantTime = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && timingSafeEqual(a, b)
