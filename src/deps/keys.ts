import { createKeyRing } from '../keys/key-ring.ts'
import { createMacKeyRing } from '../keys/mac-key-ring.ts'
import { createKeyAdministration, type KeyAdministration } from '../keys/rotation.ts'
import { createSealer } from '../secrets/sealer.ts'
import type { Storage } from '../stores/storage.ts'
import type { Foundation } from './foundation.ts'

/** The keys in memory, read again whenever a node has acted on them. */
export const joinKeys = (
  { config, logger, clock, stores, bus, longestTokenSeconds }: Foundation,
  { keyEncryptionKeys }: Pick<Storage, 'keyEncryptionKeys'>,
) => {
  const { signingKeys, macKeys: macKeyStore } = stores
  const { rsaModulusBits } = config
  const sealer = createSealer(keyEncryptionKeys)
  const options = { sealer, clock, logger, rsaModulusBits }
  const keyRing = createKeyRing({ ...options, store: signingKeys })
  const macKeys = createMacKeyRing({ ...options, store: macKeyStore })
  const administration = createKeyAdministration({
    ...{ signingKeys, macKeys: macKeyStore, sealer, rsaModulusBits },
    longestTokenLifetimeSeconds: async () => longestTokenSeconds(),
  })

  const reload = async (): Promise<void> => {
    await Promise.all([keyRing.reload(), macKeys.reload()])
  }
  bus.subscribe('keys', () => void reload())
  const announce = async (): Promise<void> => {
    bus.publish('keys')
    await reload()
  }
  return { keyRing, macKeys, keyAdministration: announcing(administration, announce) }
}

/** After an act on keys, before its answer: this node and the others read them again. */
const announcing = (
  administration: KeyAdministration,
  announce: () => Promise<void>,
): KeyAdministration => ({
  ...administration,
  async rotate(request) {
    const plans = await administration.rotate(request)
    await announce()
    return plans
  },
  async rotateMacKey(by) {
    const rotation = await administration.rotateMacKey(by)
    await announce()
    return rotation
  },
  async reseal(by) {
    const count = await administration.reseal(by)
    await announce()
    return count
  },
})
