import { isIP } from 'node:net'

const isUrl = (text: string, protocols: readonly string[]): boolean =>
  URL.canParse(text) && protocols.includes(new URL(text).protocol)

/**
 * An issuer in the one spelling that clients compare byte by byte (RFC 8414 §2, §3.3): http or
 * https, no credentials, query, fragment or slash at the end.
 */
export const isIssuer = (text: string): boolean => {
  if (!isUrl(text, ['http:', 'https:'])) return false
  const { href, search, hash, username, password } = new URL(text)
  return search + hash + username + password === '' && href.replace(/\/$/, '') === text
}

export const isHttpUrl = (text: string): boolean => isUrl(text, ['http:', 'https:'])

/** Looks like an email address; whether it can be one, the rules of accounts say. */
export const isEmailAddress = (text: string): boolean => /^[^@\s]+@[^@\s]+$/.test(text)

/** How many processes share the port: 1 to 256, or `auto`. */
export const isWorkerCount = (text: string): boolean =>
  text === 'auto' || (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= 256)

export const isPostgresUrl = (text: string): boolean => isUrl(text, ['postgres:', 'postgresql:'])

/** A domain that may be named in a cookie of the issuer's host (RFC 6265 §5.3). */
export const isCookieDomain = (text: string, issuer: string): boolean => {
  if (!/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(text) || !URL.canParse(issuer)) return false
  const { hostname } = new URL(issuer)
  return isIP(text) === 0 && (hostname === text || hostname.endsWith(`.${text}`))
}

/** An IP address, or a range of them in CIDR notation. */
export const isAddressRange = (text: string): boolean => {
  const [address = '', prefix, ...rest] = text.split('/')
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  const length = prefix === undefined ? 0 : Number(/^\d{1,3}$/.test(prefix) ? prefix : Number.NaN)
  return rest.length === 0 && length <= bits
}

/**
 * Where alerts may be sent: https, and http only to this machine and away from production; nothing
 * in the URL that is not sent.
 */
export const isWebhookUrl = (text: string, production: boolean): boolean => {
  if (!isUrl(text, ['https:', 'http:'])) return false
  const { protocol, hostname, hash, username, password } = new URL(text)
  if (hash + username + password !== '') return false
  return protocol === 'https:' || (!production && isLoopback(hostname))
}

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)

/** A secret of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64. */
export const isWebhookSecret = (text: string): boolean => {
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? []
  const bytes = base64 === undefined ? 0 : Buffer.from(base64, 'base64').length
  return bytes >= 24 && bytes <= 64
}

/** 32 bytes in base64. */
export const isKeyEncryptionKey = (text: string): boolean => /^[A-Za-z0-9+/]{43}=?$/.test(text)

/** A host name or an IP address as URLs spell it, or `*.` and a name. */
export const isHostPattern = (text: string): boolean =>
  /^(?:\*\.)?[a-z0-9]+(?:[a-z0-9.-]*[a-z0-9])?$/.test(text) || isIP(text) === 6

/** Headers that decide something else than who a client is. */
const takenHeaders =
  /^(?:authorization|cookie|host|origin|forwarded|x-forwarded-.*|content-.*|transfer-.*|connection|dpop)$/i

/** The name of a header that a proxy may fill in. */
export const isHeaderName = (text: string): boolean =>
  /^[a-z0-9-]{1,64}$/i.test(text) && !takenHeaders.test(text)
