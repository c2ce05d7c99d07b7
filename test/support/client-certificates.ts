import {
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'

// Just enough DER (X.690) for a certificate that signs itself (RFC 5280 §4.1).
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

const nameOf = (commonName: string): Buffer =>
  sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName)))))

export type TestCertificate = {
  readonly x509: X509Certificate
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  /** As a proxy writes it into its header (RFC 9440 §2.1). */
  readonly header: string
  /** As nginx does. */
  readonly escapedPem: string
}

/** A certificate that signs itself, valid from 2020 to 2049. */
export const createCertificate = (commonName = 'client'): TestCertificate => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = nameOf(commonName)
  const content = sequence(
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ecdsaWithSha256,
    name,
    sequence(utcTime('200101000000Z'), utcTime('491231235959Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = Buffer.concat([Buffer.of(0), sign('sha256', content, privateKey)])
  const x509 = new X509Certificate(sequence(content, ecdsaWithSha256, der(0x03, signature)))
  return {
    ...{ x509, publicKey, privateKey },
    header: `:${x509.raw.toString('base64')}:`,
    escapedPem: encodeURIComponent(x509.toString()),
  }
}
