import { SealError, type Sealer } from '../secrets/sealer.ts'
import type { Client } from './client.ts'

/** Secrets of clients that sign with them, for which a digest does not do (`client_secret_jwt`). */
export type SealedSecrets = {
  seal(clientId: string, secret: string): Buffer
  /** Those that are good at a moment; one that cannot be opened proves nothing. */
  open(client: Pick<Client, 'id' | 'secretDigests'>, now: Date): readonly Buffer[]
}

/** What a sealed secret is sealed for: it opens for no other client. */
export const sealingContext = (clientId: string): string => `the secret of client ${clientId}`

export const createSealedSecrets = (sealer: Sealer): SealedSecrets => ({
  seal: (clientId, secret) => sealer.seal(Buffer.from(secret), sealingContext(clientId)),
  open: ({ id, secretDigests }, now) =>
    secretDigests.flatMap(({ sealed, expiresAt }) => {
      if (sealed === undefined || (expiresAt !== null && expiresAt <= now)) return []
      try {
        return [sealer.open(sealed, sealingContext(id))]
      } catch (error) {
        if (error instanceof SealError) return []
        throw error
      }
    }),
})
