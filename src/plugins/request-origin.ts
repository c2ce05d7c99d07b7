import { isIPv4, isIPv6, SocketAddress } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Origin } from '../audit/event.ts'

const maximumUserAgentLength = 256

/**
 * What a request tells about where it came from, checked and bounded. The address is the one the
 * trusted proxies name, or the peer's own when they name none that is one.
 */
export const originOf = (request: FastifyRequest): Origin => ({
  requestId: request.id,
  address: addressOf(request),
  userAgent: toUserAgent(request.headers['user-agent']),
})

/** The client's IP address. */
export const addressOf = (request: FastifyRequest): string | undefined =>
  toPlainAddress(request.ip) ?? toPlainAddress(request.socket.remoteAddress)

/**
 * The one spelling of an IP address in which everything has it (RFC 5952). A zone (fe80::1%eth0)
 * is left out: it means something to one machine only, and may be as long as its sender likes.
 * @returns undefined for what is no address
 */
export const toPlainAddress = (text: string | undefined): string | undefined => {
  const address = text?.replace(/%.*$/, '') ?? ''
  if (isIPv4(address)) return address
  return isIPv6(address) ? toOneSpelling(address) : undefined
}

// A dual-stack socket shows IPv4 peers as ::ffff:192.0.2.1, which proxies may spell ::ffff:c000:201.
const toOneSpelling = (address: string): string =>
  new SocketAddress({ address, family: 'ipv6' }).address.replace(/^::ffff:(?=\d+\.)/, '')

const toUserAgent = (text: string | undefined): string | undefined => {
  const printable = text?.replace(/\p{Cc}/gu, '').slice(0, maximumUserAgentLength)
  return printable === '' ? undefined : printable
}
