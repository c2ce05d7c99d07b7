import type { Sealer } from '../secrets/sealer.ts'
import { resealClientSecrets, type SealedClientSecretStore } from './client-secret-resealing.ts'
import type { KeyActor, MacKeyStore, SigningKeyStore } from './key-store.ts'
import { openMacKey, sealMacKey } from './mac-key.ts'
import { resealSigningKey } from './signing-key.ts'
import { openSubjectKey, type SubjectKeyStore, sealSubjectKey } from './subject-key.ts'

type Options = {
  readonly signingKeys: SigningKeyStore
  readonly macKeys: MacKeyStore
  readonly subjectKeys: SubjectKeyStore
  readonly clientSecrets: SealedClientSecretStore
  readonly sealer: Sealer
}

/**
 * Seals again, row by row, what is sealed under another than the newest key-encryption key; may be
 * repeated, and run on several nodes.
 * @returns how many keys this call has sealed.
 * @throws {SealError} when one cannot be opened; those before it stay sealed again.
 */
export const reseal = async (options: Options, by: KeyActor): Promise<number> =>
  (await resealSigningKeys(options, by)) +
  (await resealMacKeys(options, by)) +
  (await resealSubjectKey(options, by)) +
  (await resealClientSecrets(options.clientSecrets, options.sealer, by))

const resealSigningKeys = async (
  { signingKeys, sealer }: Options,
  by: KeyActor,
): Promise<number> => {
  const { keys } = await signingKeys.list()
  let count = 0
  for (const key of keys.filter((stored) => !sealer.isCurrent(stored.sealedPrivateKey))) {
    const sealed = resealSigningKey(key, sealer)
    if (await signingKeys.reseal(key.keyId, key.sealedPrivateKey, sealed, by)) count += 1
  }
  return count
}

const resealMacKeys = async ({ macKeys, sealer }: Options, by: KeyActor): Promise<number> => {
  const { keys } = await macKeys.list()
  let count = 0
  for (const key of keys.filter((stored) => !sealer.isCurrent(stored.sealedKey))) {
    const sealed = sealMacKey(key.number, openMacKey(key, sealer), sealer)
    if (await macKeys.reseal(key.number, key.sealedKey, sealed, by)) count += 1
  }
  return count
}

const resealSubjectKey = async (
  { subjectKeys, sealer }: Options,
  by: KeyActor,
): Promise<number> => {
  const sealed = await subjectKeys.find()
  if (sealed === undefined || sealer.isCurrent(sealed)) return 0
  const again = sealSubjectKey(openSubjectKey(sealed, sealer), sealer)
  return (await subjectKeys.reseal(sealed, again, by)) ? 1 : 0
}
