import { createKeySchedule } from '../jobs/key-schedule.ts'
import { createKeyRing } from '../keys/key-ring.ts'
import { createMacKeyRing } from '../keys/mac-key-ring.ts'
import { createKeyAdministration, type KeyAdministration } from '../keys/rotation.ts'
import { defaultKeyTiming, type KeyTiming } from '../keys/rotation-policy.ts'
import { createSubjectKey } from '../keys/subject-key.ts'
import { createSealer } from '../secrets/sealer.ts'
import type { Storage } from '../stores/storage.ts'
import type { Foundation } from './foundation.ts'

/** Times of the keys in seconds; tests let days pass in seconds. */
export type KeyOptions = {
  readonly keyTiming?: Partial<KeyTiming>
  /** In place of KEY_ROTATION_DAYS. */
  readonly keyRotationSeconds?: number
}

/** The keys in memory, read again whenever a node has acted on them. */
export const joinKeys = (
  {
    config,
    logger,
    clock,
    stores,
    bus,
    warn,
    longestTokenSeconds,
    metrics,
    revocations,
  }: Foundation,
  { keyEncryptionKeys }: Pick<Storage, 'keyEncryptionKeys'>,
  { keyTiming, keyRotationSeconds = config.keyRotationDays * 86_400 }: KeyOptions,
) => {
  const { signingKeys, macKeys: macKeyStore, subjectKeys, keyEmergencies: emergencies } = stores
  const { rsaModulusBits, refreshTokenTtlSeconds } = config
  const sealer = createSealer(keyEncryptionKeys)
  const timing = { ...defaultKeyTiming, ...keyTiming }
  const schedule = { rotationSeconds: keyRotationSeconds, timing }
  const reloadIntervalMs = timing.nodeReloadSeconds * 1000
  const common = { sealer, clock, logger, reloadIntervalMs }
  const isRevoked = (keyId: string) => revocations.revokedBy({ keyId }) !== undefined
  const keyRing = createKeyRing({
    ...common,
    ...{ store: signingKeys, rsaModulusBits, schedule, isRevoked },
  })
  const macKeys = createMacKeyRing({ ...common, store: macKeyStore })
  const subjectKey = createSubjectKey(subjectKeys, sealer)
  const administration = createKeyAdministration({
    ...{ signingKeys, macKeys: macKeyStore, subjectKeys, sealer, rsaModulusBits },
    clientSecrets: stores.sealedClientSecrets,
    ...{ refreshTokenTtlSeconds, emergencies, schedule },
    longestTokenLifetimeSeconds: async () => longestTokenSeconds(),
  })

  const reload = async (): Promise<void> => {
    await Promise.all([keyRing.reload(), macKeys.reload()])
  }
  bus.subscribe('keys', () => void reload())
  // Every emergency revokes a key, which every node learns within a second.
  revocations.watch('kid', () => void reload())
  const announce = async (): Promise<void> => {
    bus.publish('keys')
    await reload()
  }
  const keyAdministration = announcing(administration, announce, revocations.announce)
  const keySchedule = createKeySchedule({
    run: keyAdministration.runSchedule,
    intervalMs: reloadIntervalMs,
    onStuck: ({ ring, reason }) => {
      metrics.count('keyRotationsStuck', { ring })
      logger.warn({ ring, reason }, 'a key is due to be replaced and cannot be')
    },
    onFailure: warn('the key schedule could not run; it is tried again'),
  })
  return { sealer, keyRing, macKeys, subjectKey, keyAdministration, keySchedule }
}

/** After an act on keys, before its answer: this node and the others read them again. */
const announcing = (
  administration: KeyAdministration,
  announce: () => Promise<void>,
  announceRevocations: () => Promise<void>,
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
  async promoteNext(request) {
    const plan = await administration.promoteNext(request)
    if (plan.outcome === 'done') await Promise.all([announce(), announceRevocations()])
    return plan
  },
  async replaceAll(request) {
    const plan = await administration.replaceAll(request)
    if (plan.outcome === 'done') await Promise.all([announce(), announceRevocations()])
    return plan
  },
  async runSchedule() {
    const report = await administration.runSchedule()
    if (report.rotated.length > 0) await announce()
    return report
  },
  async reseal(by) {
    const count = await administration.reseal(by)
    await announce()
    return count
  },
})
