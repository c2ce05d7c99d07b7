import { createHash, timingSafeEqual } from 'node:crypto'

/** For secrets with at least 128 bits of entropy; passwords need a password hash instead. */
export const sha256 = (data: string | Uint8Array): Buffer =>
  createHash('sha256').update(data).digest()

/** Compares without telling by its duration where two values differ; their lengths are no secret. */
export const equalInConstantTime = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && timingSafeEqual(a, b)
