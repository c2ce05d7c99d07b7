import { X509Certificate } from 'node:crypto'
import { BlockList, isIPv6 } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type ClientCertificate, toClientCertificate } from '../clients/certificate.ts'
import type { Config } from '../config.ts'
import { toPlainAddress } from './request-origin.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** That the client showed in its TLS handshake, as a trusted proxy tells; else undefined. */
    readonly clientCertificate: ClientCertificate | undefined
  }
}

const longestHeader = 12_288

/**
 * Reads the certificate of the client from the header that the operator has named, where the peer
 * of the connection is itself a trusted proxy: what anybody else writes there is ignored.
 */
export const registerClientCertificate = (
  app: FastifyInstance,
  {
    clientCertificateHeader: header,
    trustedProxies,
  }: Pick<Config, 'clientCertificateHeader' | 'trustedProxies'>,
): void => {
  const name = header?.toLowerCase()
  const isTrusted = memberOf(trustedProxies)
  const read = (request: FastifyRequest): ClientCertificate | undefined => {
    const value = name === undefined ? undefined : request.headers[name]
    if (typeof value !== 'string' || value === '' || value.length > longestHeader) return undefined
    return isTrusted(request.socket.remoteAddress) ? parseCertificate(value) : undefined
  }
  app.decorateRequest('clientCertificate', {
    getter() {
      return read(this)
    },
  })
}

/**
 * A header's certificate: `:<base64 of DER>:` (RFC 9440 §2.1), or PEM that is URL-encoded, as nginx
 * writes it.
 * @returns undefined for everything else, and for more than one
 */
export const parseCertificate = (value: string): ClientCertificate | undefined => {
  const [, base64] = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(value.trim()) ?? []
  try {
    const encoded = base64 === undefined ? readPem(value) : Buffer.from(base64, 'base64')
    return encoded === undefined ? undefined : toClientCertificate(new X509Certificate(encoded))
  } catch {
    return undefined
  }
}

const onePem = /^-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/

const readPem = (value: string): string | undefined => {
  const pem = decodeURIComponent(value)
  return onePem.test(pem) ? pem : undefined
}

/** @param ranges addresses, or ranges in CIDR notation */
const memberOf = (ranges: readonly string[]) => {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', length] = range.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (length === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(length), family)
  }
  return (peer: string | undefined): boolean => {
    const address = toPlainAddress(peer)
    return address !== undefined && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
  }
}
