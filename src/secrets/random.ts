import { randomBytes, randomUUID } from 'node:crypto'

/** @param bytes 32 by default: 256 bits. */
export const randomSecret = (bytes = 32): Buffer => randomBytes(bytes)

/** A random secret as text, base64url. @param bytes before encoding. */
export const randomToken = (bytes = 32): string => randomSecret(bytes).toString('base64url')

/** UUID version 4. Names a thing; never proves anything. */
export const randomId = (): string => randomUUID()
