import { createSecretKey } from 'node:crypto'
import { equalInConstantTime, hmacSha256 } from '../secrets/digest.ts'
import type { ClientJwt } from './client-jwt.ts'

/** Whether one of a client's secrets has made the MAC of a JWT (HS256, RFC 7518 §3.2). */
export const isSignedBySecret = ({ text }: ClientJwt, secrets: readonly Buffer[]): boolean => {
  const end = text.lastIndexOf('.')
  const mac = Buffer.from(text.slice(end + 1), 'base64url')
  return secrets.some((secret) =>
    equalInConstantTime(mac, hmacSha256(createSecretKey(secret), text.slice(0, end))),
  )
}
