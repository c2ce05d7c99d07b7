import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { equalInConstantTime, hmacSha256 } from './digest.ts'
import type { MacKeys } from './refresh-token.ts'

/** Short texts that only this service can have made. */
export type SignedValues = {
  /** @param context what the text belongs to, without standing in it */
  sign(payload: Uint8Array, context?: string): string
  /** @returns the payload; undefined for what we did not make, or not for this context. */
  open(text: string, context?: string): Promise<Buffer | undefined>
}

const macLength = 16

/** A key for one purpose: what is made for one never fits another (RFC 5869 §3.2). */
export const deriveSubkey = (key: KeyObject, purpose: string): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', key, '', `tessera ${purpose} 1`, 32)))

/**
 * `base64url(MAC-key number 1 B ‖ payload ‖ MAC 16 B)`, under a subkey of the keys that
 * authenticate refresh tokens. Payloads of one purpose all have one length.
 */
export const createSignedValues = (purpose: string, macKeys: MacKeys): SignedValues => {
  const macOf = (key: KeyObject, body: Uint8Array, context: string): Buffer =>
    hmacSha256(deriveSubkey(key, purpose), body, context).subarray(0, macLength)

  return {
    sign(payload, context = '') {
      const { number, key } = macKeys.current()
      const body = Buffer.concat([Buffer.of(number), payload])
      return Buffer.concat([body, macOf(key, body, context)]).toString('base64url')
    },
    async open(text, context = '') {
      const bytes = Buffer.from(text, 'base64url')
      // Decoding is lenient; each text has one spelling only.
      if (bytes.length <= macLength || bytes.toString('base64url') !== text) return undefined
      const body = bytes.subarray(0, -macLength)
      const key = await macKeys.find(body.readUInt8(0))
      if (key === undefined) return undefined
      const mac = bytes.subarray(-macLength)
      return equalInConstantTime(macOf(key, body, context), mac) ? body.subarray(1) : undefined
    },
  }
}
