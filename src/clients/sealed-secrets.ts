import { clientSecretContext } from '../secrets/client-secret.ts'
import { SealError, type Sealer } from '../secrets/sealer.ts'
import type { Client } from './client.ts'

/** Secrets of clients that sign with them, for which a digest does not do (`client_secret_jwt`). */
export type SealedSecrets = {
  seal(clientId: string, secret: string): Buffer
  /** Those that are good at a moment; one that cannot be opened proves nothing. */
  open(client: Pick<Client, 'id' | 'secretDigests'>, now: Date): readonly Buffer[]
}

export const createSealedSecrets = (sealer: Sealer): SealedSecrets => ({
  seal: (clientId, secret) => sealer.seal(Buffer.from(secret), clientSecretContext(clientId)),
  open: ({ id, secretDigests }, now) =>
    secretDigests.flatMap(({ sealed, expiresAt }) => {
      if (sealed === undefined || (expiresAt !== null && expiresAt <= now)) return []
      try {
        return [sealer.open(sealed, clientSecretContext(id))]
      } catch (error) {
        if (error instanceof SealError) return []
        throw error
      }
    }),
})
