import {
  createProvePrivateKey,
  createProveSharedSecret,
} from '../clients/authentication/prove-assertion.ts'
import {
  createProveIssuedCertificate,
  createProveOwnCertificate,
} from '../clients/authentication/prove-certificate.ts'
import type { StrongMethods } from '../clients/authentication.ts'
import { createClientKeys } from '../clients/client-keys.ts'
import { createSealedSecrets } from '../clients/sealed-secrets.ts'
import { supportedMethods } from '../clients/supported-methods.ts'
import type { OneTimeIds } from '../secrets/one-time-ids.ts'
import type { Sealer } from '../secrets/sealer.ts'
import type { Foundation } from './foundation.ts'

/** The keys of clients, and the ways in which they prove themselves by them. */
export const joinClientKeys = (
  { config, clock, logger, outbound }: Foundation,
  { sealer, oneTimeIds }: { readonly sealer: Sealer; readonly oneTimeIds: OneTimeIds },
) => {
  const keys = createClientKeys({
    outbound,
    onFailure: (url, reason) => logger.info({ url, reason }, 'keys of a client cannot be fetched'),
  })
  const secrets = createSealedSecrets(sealer)
  const assertions = { issuer: config.issuer, keys, secrets, oneTimeIds, clock }
  const methods = supportedMethods(config)
  const all: StrongMethods = {
    private_key_jwt: createProvePrivateKey(assertions),
    client_secret_jwt: createProveSharedSecret(assertions),
    tls_client_auth: createProveIssuedCertificate(config.clientCertificateAuthorities, clock),
    self_signed_tls_client_auth: createProveOwnCertificate(keys),
  }
  const strongMethods: StrongMethods = Object.fromEntries(
    Object.entries(all).filter(([method]) => methods.some((allowed) => allowed === method)),
  )
  return { clientKeys: keys, sealedSecrets: secrets, methods, strongMethods }
}
