import { sha256 } from './digest.ts'
import { randomToken } from './random.ts'

// Lets secret scanners find one that was committed or logged by accident.
const prefix = 'tcs_'

/** A new client secret: 256 random bits, shown once; only its digest is kept. */
export const createClientSecret = (): { secret: string; digest: Buffer } => {
  const secret = prefix + randomToken()
  return { secret, digest: digestClientSecret(secret) }
}

/** SHA-256 of the secret's whole text. Random secrets need no slow hash. */
export const digestClientSecret = (secret: string): Buffer => sha256(secret)

/** What a sealed secret of a client is sealed for: it opens for no other client. */
export const clientSecretContext = (clientId: string): string => `the secret of client ${clientId}`
