import type { Config } from '../config.ts'
import { type AuthenticationMethod, authenticationMethods } from './client.ts'
import { clientKeyAlgorithms } from './client-jwt.ts'

type MethodConfig = Pick<
  Config,
  'clientSecretJwt' | 'clientCertificateHeader' | 'clientCertificateAuthorities'
>

/** The ways of client authentication that the configuration allows. */
export const supportedMethods = (config: MethodConfig): readonly AuthenticationMethod[] => {
  const hasCertificates = config.clientCertificateHeader !== undefined
  const isOff: Partial<Record<AuthenticationMethod, boolean>> = {
    client_secret_jwt: !config.clientSecretJwt,
    self_signed_tls_client_auth: !hasCertificates,
    tls_client_auth: !hasCertificates || config.clientCertificateAuthorities.length === 0,
  }
  return authenticationMethods.filter((method) => isOff[method] !== true)
}

/** What assertions may be signed with (RFC 8414 §2); never `none`. */
export const assertionAlgorithms = (config: MethodConfig): readonly string[] => [
  ...clientKeyAlgorithms,
  ...(config.clientSecretJwt ? ['HS256'] : []),
]
