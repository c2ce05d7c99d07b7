import { X509Certificate } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import type { Clock } from '../../clock.ts'
import type { ClientCertificate } from '../certificate.ts'
import { isNamed } from '../certificate-name.ts'
import type { ClientKeys } from '../client-keys.ts'
import type { Proof, ProveClient } from './credentials.ts'

const proven: Proof = {}
const clientAuthentication = '1.3.6.1.5.5.7.3.2'

/**
 * By a certificate that one of the operator's authorities has issued to the registered name
 * (RFC 8705 §2.1). What the proxy has checked is checked once more: it also lets self-signed ones
 * through.
 * @param authorities PEM; only what one of them has signed itself counts
 */
export const createProveIssuedCertificate = (
  authorities: readonly string[],
  clock: Clock,
): ProveClient => {
  const trusted = authorities.map((pem) => new X509Certificate(pem))
  return async ({ settings }, { certificate }) => {
    if (certificate === undefined || settings.tlsClientAuth === null) {
      return { failure: 'no_certificate' }
    }
    if (!isGood(certificate, trusted, clock())) return { failure: 'untrusted_certificate' }
    return isNamed(certificate.x509, settings.tlsClientAuth)
      ? proven
      : { failure: 'wrong_certificate' }
  }
}

const isGood = ({ x509 }: ClientCertificate, trusted: readonly X509Certificate[], now: Date) => {
  if (x509.ca || !isWithin(x509, now)) return false
  const { keyUsage: purposes } = x509 as { keyUsage?: readonly string[] }
  if (purposes !== undefined && !purposes.includes(clientAuthentication)) return false
  return trusted.some(
    (authority) =>
      isWithin(authority, now) && x509.checkIssued(authority) && x509.verify(authority.publicKey),
  )
}

const isWithin = ({ validFromDate, validToDate }: X509Certificate, now: Date): boolean =>
  validFromDate <= now && now < validToDate

/** By a certificate whose key is one of the client's own (RFC 8705 §2.2). */
export const createProveOwnCertificate =
  (keys: ClientKeys): ProveClient =>
  async (client, { certificate }) => {
    if (certificate === undefined) return { failure: 'no_certificate' }
    const thumbprint = await thumbprintOf(certificate.x509.publicKey.export({ format: 'jwk' }))
    if (thumbprint === undefined) return { failure: 'wrong_certificate' }
    for (const fresh of [false, true]) {
      // A key that is not among those we know may be one that was published since.
      const found = await keys.find(client, fresh ? () => false : undefined)
      const known = await Promise.all(found.map(thumbprintOf))
      if (known.includes(thumbprint)) return proven
    }
    return { failure: 'wrong_certificate' }
  }

/** RFC 7638; undefined for what is no key. */
const thumbprintOf = async (jwk: object): Promise<string | undefined> =>
  calculateJwkThumbprint(jwk as JWK).catch(() => undefined)
