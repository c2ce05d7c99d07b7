import {
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'

// Just enough DER (X.690) for certificates (RFC 5280 §4.1).
const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts)
  const { length } = content
  if (length < 128) return Buffer.concat([Buffer.of(tag, length), content])
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), content])
}
const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts)
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))
const utcTime = (text: string): Buffer => der(0x17, Buffer.from(text))

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))

const attributes: Record<string, string> = { CN: '550403', C: '550406', O: '55040a' }

/** A list of parts such as `CN=name`, the first one first; what has no `=` is the common name. */
const nameOf = (parts: readonly string[]): Buffer =>
  sequence(
    ...parts.map((part) => {
      const [, type = 'CN', value = part] = /^([A-Z]+)=(.*)$/s.exec(part) ?? []
      const attribute = oid(attributes[type] ?? '')
      return der(0x31, sequence(attribute, der(0x0c, Buffer.from(value))))
    }),
  )

/** Further names (RFC 5280 §4.2.1.6); an IPv4 address as its four bytes. */
export type AlternativeNames = {
  readonly dns?: string
  readonly uri?: string
  readonly email?: string
  readonly ip?: readonly number[]
}

type Special = {
  /** Default: itself. */
  readonly issuer?: TestCertificate
  readonly isAuthority?: boolean
  readonly names?: AlternativeNames
  readonly purpose?: 'client' | 'server'
  /** As UTCTime. */
  readonly until?: string
}

const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), der(0x04, value))

const extensionsOf = ({ isAuthority, names, purpose }: Special): Buffer[] => {
  const { dns, uri, email, ip } = names ?? {}
  const general = [
    ...(email === undefined ? [] : [der(0x81, Buffer.from(email))]),
    ...(dns === undefined ? [] : [der(0x82, Buffer.from(dns))]),
    ...(uri === undefined ? [] : [der(0x86, Buffer.from(uri))]),
    ...(ip === undefined ? [] : [der(0x87, Buffer.from(ip))]),
  ]
  const use = purpose === 'client' ? '2b06010505070302' : '2b06010505070301'
  const all = [
    ...(isAuthority === true ? [extension('551d13', sequence(der(0x01, Buffer.of(0xff))))] : []),
    ...(general.length === 0 ? [] : [extension('551d11', sequence(...general))]),
    ...(purpose === undefined ? [] : [extension('551d25', sequence(oid(use)))]),
  ]
  return all.length === 0 ? [] : [der(0xa3, sequence(...all))]
}

export type TestCertificate = {
  /** Its subject, as DER. */
  readonly name: Buffer
  readonly x509: X509Certificate
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  /** As a proxy writes it into its header (RFC 9440 §2.1). */
  readonly header: string
  /** As nginx does. */
  readonly escapedPem: string
}

/** A certificate, valid from 2020 to 2049, which signs itself unless it has an issuer. */
export const createCertificate = (
  subject: string | readonly string[] = 'client',
  special: Special = {},
): TestCertificate => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = nameOf([subject].flat())
  const { issuer, until = '491231235959Z' } = special
  const content = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ecdsaWithSha256,
    issuer?.name ?? name,
    sequence(utcTime('200101000000Z'), utcTime(until)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    ...extensionsOf(special),
  )
  const signature = Buffer.concat([
    Buffer.of(0),
    sign('sha256', content, issuer?.privateKey ?? privateKey),
  ])
  const x509 = new X509Certificate(sequence(content, ecdsaWithSha256, der(0x03, signature)))
  return {
    ...{ x509, publicKey, privateKey, name },
    header: `:${x509.raw.toString('base64')}:`,
    escapedPem: encodeURIComponent(x509.toString()),
  }
}
