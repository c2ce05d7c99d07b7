import { createClientSecret } from '../secrets/client-secret.ts'
import { type Client, hasSecret } from './client.ts'
import type { SealedSecrets } from './sealed-secrets.ts'

/** A secret, and what is kept of it. */
export type NewSecret = {
  readonly secret: string
  readonly digest: Buffer
  /** Only where the client makes signatures with it. */
  readonly sealed?: Buffer
}

/** @returns undefined for a client that has none: a public one, or one with keys. */
export const createSecretFor = (
  client: Pick<Client, 'id' | 'authenticationMethod'>,
  secrets: Pick<SealedSecrets, 'seal'>,
): NewSecret | undefined => {
  if (!hasSecret(client)) return undefined
  const created = createClientSecret()
  return client.authenticationMethod === 'client_secret_jwt'
    ? { ...created, sealed: secrets.seal(client.id, created.secret) }
    : created
}
