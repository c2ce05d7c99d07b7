import type { X509Certificate } from 'node:crypto'
import { sha256 } from '../secrets/digest.ts'

/** The certificate that a client showed in its TLS handshake (RFC 8705). */
export type ClientCertificate = {
  readonly x509: X509Certificate
  /** Base64url SHA-256 of the DER encoding (RFC 8705 §3.1), as in `cnf`. */
  readonly thumbprint: string
}

export const toClientCertificate = (x509: X509Certificate): ClientCertificate => ({
  x509,
  thumbprint: sha256(x509.raw).toString('base64url'),
})
