import { clientSecretContext } from '../secrets/client-secret.ts'
import type { Sealer } from '../secrets/sealer.ts'
import type { KeyActor } from './key-store.ts'

export type SealedClientSecret = {
  readonly id: string
  readonly clientId: string
  readonly sealed: Buffer
}

/** Secrets of clients that sign with them; they are sealed as keys are. */
export type SealedClientSecretStore = {
  list(): Promise<SealedClientSecret[]>
  /** Only if it is still `from`, with the audit event. @returns whether it was. */
  reseal(secret: SealedClientSecret, to: Buffer, by: KeyActor): Promise<boolean>
}

/** @returns how many this call has sealed. @throws {SealError} when one cannot be opened. */
export const resealClientSecrets = async (
  store: SealedClientSecretStore,
  sealer: Sealer,
  by: KeyActor,
): Promise<number> => {
  let count = 0
  for (const secret of await store.list()) {
    if (sealer.isCurrent(secret.sealed)) continue
    const context = clientSecretContext(secret.clientId)
    const again = sealer.seal(sealer.open(secret.sealed, context), context)
    if (await store.reseal(secret, again, by)) count += 1
  }
  return count
}
