import { Type } from 'typebox'
import { text } from './setting-types.ts'

/** How clients prove themselves by other than secrets, and what the service asks of others. */
export const outsideVariables = {
  CLIENT_SECRET_JWT: Type.Boolean({
    default: false,
    description:
      'Let clients authenticate by client_secret_jwt, for which their secrets are stored sealed beside the digest; better: private_key_jwt',
  }),
  CLIENT_CERTIFICATE_HEADER: text(
    'Header in which the TRUSTED_PROXIES, and nobody else, tell the certificate of a client: RFC 9440, or PEM that is URL-encoded; unset: no mTLS',
    { example: 'Client-Cert' },
  ),
  MTLS_ORIGIN: text(
    'Origin where the proxy asks clients for their certificates, if not that of ISSUER; the metadata name the endpoints there too',
    { example: 'https://mtls.auth.example.com' },
  ),
  CLIENT_CERTIFICATE_AUTHORITIES_FILE: text(
    'PEM file of the authorities that may issue certificates for tls_client_auth, intermediate ones too; unset: that method is off',
    { example: '/etc/tessera/client-authorities.pem' },
  ),
  OUTBOUND_ALLOWED_HOSTS: text(
    'Comma-separated hosts, the only ones whose URLs of clients (jwks_uri, sector_identifier_uri, backchannel_logout_uri) are asked; `*.example.com` stands for all below; unset: all public ones',
    { example: '*.example.com' },
  ),
  OUTBOUND_PRIVATE_HOSTS: text(
    'Comma-separated hosts of such URLs that may be at private addresses, on this machine by http too',
    { example: 'app.internal,localhost' },
  ),
}
