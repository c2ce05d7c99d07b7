import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Where requests may go whose URL somebody else has named. */
export type OutboundPolicy = {
  /** The only hosts there are; empty: every host of the public internet. */
  readonly allowedHosts: readonly string[]
  /** Hosts that may be at addresses that are not public; on the own machine also by http. */
  readonly privateHosts: readonly string[]
}

// What the registries have handed out (RFC 4291 §2.5.4, IANA): all other IPv6 is special.
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * Whether an address is one of the public internet: not of this machine or network, no multicast,
 * and nothing within which another address hides (IPv4-mapped, NAT64, 6to4, Teredo).
 */
export const isPublicAddress = (text: string): boolean => {
  const address = parseAddress(text)
  if (address === undefined || address.range() !== 'unicast') return false
  return address instanceof ipaddr.IPv4 || address.match(globalUnicast)
}

/** @returns whether the address is one of this machine (127.0.0.0/8, ::1). */
export const isLoopbackAddress = (text: string): boolean =>
  parseAddress(text)?.range() === 'loopback'

// Only the one plain spelling: `0x7f.1` and `fe80::1%eth0` are no addresses.
const parseAddress = (text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined => {
  if (isIP(text) === 0 || text.includes('%')) return undefined
  const address = ipaddr.parse(text)
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()
    ? address.toIPv4Address()
    : address
}

/** What is known of a URL before anything is sent. */
export type Target = {
  readonly url: URL
  /** Whether it may be at an address, which is asked for each one that its name has. */
  readonly admits: (address: string) => boolean
}

/** @returns undefined for a URL that is not followed. */
export const readTarget = (text: string, policy: OutboundPolicy): Target | undefined => {
  if (text.length > 2000 || !URL.canParse(text)) return undefined
  const url = new URL(text)
  const host = bareHost(url)
  if (url.username + url.password !== '') return undefined
  if (policy.allowedHosts.length > 0 && !isListed(host, policy.allowedHosts)) return undefined
  const isPrivate = isListed(host, policy.privateHosts)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isPrivate)) return undefined
  const admits = (address: string): boolean => {
    if (url.protocol === 'http:') return isLoopbackAddress(address)
    return isPublicAddress(address) || (isPrivate && isIP(address) !== 0)
  }
  return isIP(host) === 0 || admits(host) ? { url, admits } : undefined
}

/** Without the brackets of an IPv6 address and without a dot at the end. */
const bareHost = ({ hostname }: URL): string => hostname.replace(/^\[|\]$|\.$/g, '')

/** `*.example.com` stands for every host below it. */
const isListed = (host: string, list: readonly string[]): boolean =>
  list.some((entry) =>
    entry.startsWith('*.') ? host.endsWith(entry.slice(1)) : host === entry.toLowerCase(),
  )
