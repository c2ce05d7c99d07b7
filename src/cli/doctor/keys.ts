import { addSeconds } from '../../clock.ts'
import type { Config } from '../../config.ts'
import type { KeyState } from '../../keys/lifecycle.ts'
import { stateOf } from '../../keys/lifecycle.ts'
import { openMacKey } from '../../keys/mac-key.ts'
import { openSigningKey } from '../../keys/signing-key.ts'
import { openSubjectKey } from '../../keys/subject-key.ts'
import { type SigningAlgorithm, signingAlgorithms } from '../../oauth/algorithm.ts'
import { clientSecretContext } from '../../secrets/client-secret.ts'
import { createSealer } from '../../secrets/sealer.ts'
import type { Connection } from '../../stores/postgres/database.ts'
import { loadEmbeddedKeys } from '../../stores/postgres/embedded-key.ts'
import { createMacKeyStore } from '../../stores/postgres/mac-keys.ts'
import { createSealedClientSecretStore } from '../../stores/postgres/sealed-client-secrets.ts'
import { createSigningKeyStore } from '../../stores/postgres/signing-keys.ts'
import { createSubjectKeyStore } from '../../stores/postgres/subject-key.ts'
import { type Finding, failed, fine, reasonOf, warning } from './finding.ts'

/** A signing key, as far as its schedule goes. */
export type ScheduledKey = {
  readonly algorithm: SigningAlgorithm
  readonly state: KeyState
  readonly signFrom: Date | null
}

/** By how much a rotation may be late: the next key must have been published for a day. */
const toleranceSeconds = 2 * 86_400

const noKeys = fine('keys', 'There are no keys yet: the first start makes them')

/** Whether the keys in a database can be opened, and whether their rotation goes on. */
export const examineKeys = async (config: Config, connection: Connection): Promise<Finding[]> => {
  const { now, keys } = await createSigningKeyStore(connection).list()
  const macKeys = await createMacKeyStore(connection).list()
  const subjectKey = await createSubjectKeyStore(connection).find()
  const secrets = await createSealedClientSecretStore(connection).list()
  if (keys.length === 0 && macKeys.keys.length === 0) return [noKeys]
  try {
    const given = config.keyEncryptionKeys
    const sealer = createSealer(
      given.length > 0 ? given : await loadEmbeddedKeys(connection.db, config.dataDir),
    )
    for (const key of keys) await openSigningKey(key, sealer)
    for (const key of macKeys.keys) openMacKey(key, sealer)
    if (subjectKey !== undefined) openSubjectKey(subjectKey, sealer)
    for (const { clientId, sealed } of secrets) sealer.open(sealed, clientSecretContext(clientId))
    const stale = [
      ...keys.map(({ sealedPrivateKey }) => sealedPrivateKey),
      ...macKeys.keys.map(({ sealedKey }) => sealedKey),
      ...(subjectKey === undefined ? [] : [subjectKey]),
      ...secrets.map(({ sealed }) => sealed),
    ].filter((sealed) => !sealer.isCurrent(sealed))
    return [
      ...(stale.length === 0 ? [] : [notResealed(stale.length)]),
      ...examineSchedule(
        keys.map((key) => ({ ...key, state: stateOf(key, now) })),
        now,
        config.keyRotationDays,
      ),
    ]
  } catch (error) {
    return [unopened(error)]
  }
}

const notResealed = (count: number): Finding =>
  warning(
    'key encryption',
    `${count} keys are sealed under another than the newest key-encryption key`,
    'Run `tessera keys reseal` once every node has the new one first, and keep the old one until then',
  )

const unopened = (error: unknown): Finding =>
  failed(
    'keys',
    `A key cannot be opened: ${reasonOf(error)}`,
    'Configure the key-encryption key under which it was sealed, beside the newest one',
  )

/** Whether every algorithm has a key that signs and a next one, and none is overdue. */
export const examineSchedule = (
  keys: readonly ScheduledKey[],
  now: Date,
  rotationDays: number,
): Finding[] => {
  if (keys.length === 0) return [noKeys]
  const faults = signingAlgorithms.flatMap((algorithm) =>
    examineRing(
      algorithm,
      keys.filter((key) => key.algorithm === algorithm),
      now,
      rotationDays,
    ),
  )
  if (faults.length > 0) return faults
  const oldest = Math.max(...keys.filter(({ state }) => state === 'current').map(ageIn(now)))
  return [
    fine('keys', `All can be opened; the oldest that signs is ${Math.floor(oldest)} days old`),
  ]
}

const ageIn =
  (now: Date) =>
  ({ signFrom }: ScheduledKey): number =>
    (now.getTime() - Number(signFrom)) / 86_400_000

const examineRing = (
  algorithm: SigningAlgorithm,
  ring: readonly ScheduledKey[],
  now: Date,
  rotationDays: number,
): Finding[] => {
  const signer = ring.find(({ state }) => state === 'current')
  const isAnnounced = ring.some(({ state, signFrom }) => state === 'next' && signFrom !== null)
  const restart = 'Start the service, which makes the keys that are missing'
  if (signer === undefined && !isAnnounced) {
    return [failed('keys', `No ${algorithm} key signs`, restart)]
  }
  if (!ring.some(({ state }) => state === 'next')) {
    return [failed('keys', `No next ${algorithm} key is published`, restart)]
  }
  const isOverdue =
    rotationDays > 0 &&
    signer?.signFrom != null &&
    addSeconds(signer.signFrom, rotationDays * 86_400 + toleranceSeconds) < now
  return isOverdue ? [overdue(algorithm, ageIn(now)(signer), rotationDays)] : []
}

const overdue = (algorithm: SigningAlgorithm, age: number, rotationDays: number): Finding =>
  failed(
    'keys',
    `The ${algorithm} key has signed for ${Math.floor(age)} days, and was due to be replaced after ${rotationDays}`,
    'See that a service runs, look for "a key is due to be replaced and cannot be" in its log, or run `tessera keys rotate --dry-run`',
  )
