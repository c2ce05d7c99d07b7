import type { X509Certificate } from 'node:crypto'
import { isIP, SocketAddress } from 'node:net'
import type { CertificateName } from './client-settings.ts'

/** Whether a certificate bears the one name that a client is registered with (RFC 8705 §2.1.2). */
export const isNamed = (
  { subject, subjectAltName }: Pick<X509Certificate, 'subject' | 'subjectAltName'>,
  { member, value }: CertificateName,
): boolean => {
  if (member === 'subject_dn') return toPlainName(fromLines(subject)) === toPlainName(value)
  const { kind, isSame } = alternativeNames[member]
  return readAlternativeNames(subjectAltName).some(
    (name) => name.kind === kind && isSame(name.value, value),
  )
}

// Node.js has one line for each part, the first one first, with values escaped as in RFC 4514.
const fromLines = (subject: string): string => subject.split('\n').reverse().join(',')

/** One spelling of a distinguished name (RFC 4514): types in upper case, no blanks around parts. */
const toPlainName = (name: string): string =>
  (name.match(/(?:\\.|[^\\,])+/g) ?? [])
    .map((part) => {
      const [, type = '', value = ''] = /^\s*([^=]*?)\s*=\s*(.*?)\s*$/.exec(part) ?? []
      return `${type.toUpperCase()}=${value}`
    })
    .join(',')

const isEqual = (one: string, other: string): boolean => one === other
const isEqualInAnyCase = (one: string, other: string): boolean =>
  one.toLowerCase() === other.toLowerCase()

const isSameAddress = (one: string, other: string): boolean =>
  isIP(one) !== 0 && isIP(one) === isIP(other) && toPlainAddress(one) === toPlainAddress(other)

const toPlainAddress = (address: string): string =>
  new SocketAddress({ address, family: isIP(address) === 6 ? 'ipv6' : 'ipv4' }).address

const alternativeNames = {
  san_dns: { kind: 'DNS', isSame: isEqualInAnyCase },
  san_uri: { kind: 'URI', isSame: isEqual },
  san_ip: { kind: 'IP Address', isSame: isSameAddress },
  san_email: { kind: 'email', isSame: isEqual },
} as const

/** Values that could be taken for several names are in quotes (Node.js, CVE-2021-44532). */
const readAlternativeNames = (text = '') =>
  (text.match(/(?:"(?:\\.|[^"\\])*"|[^,"])+/g) ?? []).flatMap((entry) => {
    const [, kind, value] = /^\s*([^:]+):(.*)$/s.exec(entry) ?? []
    return kind === undefined || value === undefined ? [] : [{ kind, value: unquote(value) }]
  })

const unquote = (value: string): string => {
  if (!value.startsWith('"')) return value
  try {
    return String(JSON.parse(value))
  } catch {
    return ''
  }
}
