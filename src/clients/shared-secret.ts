import { digestClientSecret } from '../secrets/client-secret.ts'
import { equalInConstantTime } from '../secrets/digest.ts'
import type { Client } from './client.ts'

/** Whether a text is one of the client's secrets that have not expired. */
export const isSecretOf = ({ secretDigests }: Client, text: string): boolean => {
  const digest = digestClientSecret(text)
  return secretDigests.some((known) => equalInConstantTime(known.digest, digest))
}
