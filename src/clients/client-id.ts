import { randomBytes } from 'node:crypto'

// No letters that are misread for digits: an id is read aloud and typed from a log.
const alphabet = '23456789abcdefghjkmnpqrstuvwxyz'
const length = 16

/** A new id, such as `svc_4h7k2m9qxw3b8tnd`: random, readable, never a secret. */
export const createClientId = (prefix: 'svc' | 'app'): string => {
  let id = ''
  while (id.length < length) {
    for (const byte of randomBytes(length)) {
      // 248 = 8 × 31: bytes above it would favour the first letters.
      if (byte < 248 && id.length < length) id += alphabet.charAt(byte % alphabet.length)
    }
  }
  return `${prefix}_${id}`
}

/** VSCHAR without the space (RFC 6749 §A.1). */
const syntax = /^[\x21-\x7e]{1,200}$/

/** Whether a string can be the id of any client; what cannot is never looked up. */
export const isClientId = (id: string): boolean => syntax.test(id)
