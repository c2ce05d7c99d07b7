import { addSeconds } from '../clock.ts'
import type { Sealer } from '../secrets/sealer.ts'
import type { SealedClientSecretStore } from './client-secret-resealing.ts'
import type { EmergencyPlan } from './emergency.ts'
import {
  type PromotionRequest,
  promoteNext,
  type ReplacementRequest,
  replaceAll,
} from './emergency-acts.ts'
import type {
  KeyActor,
  KeyEmergencyStore,
  MacKeyStore,
  SigningKeyStore,
  StoredMacKey,
} from './key-store.ts'
import {
  type KeyState,
  publicationSeconds,
  type RingKey,
  type RotationPlan,
  type RotationPolicy,
  stateOf,
} from './lifecycle.ts'
import { findNewestMacKey, type MacKeyRotation, rotateMacKey } from './mac-key-rotation.ts'
import { reseal } from './resealing.ts'
import { type RotationRequest, rotateRings } from './ring-rotation.ts'
import { createRotationPolicy } from './rotation-policy.ts'
import { type NextStep, nextStepOf, type Schedule } from './schedule.ts'
import { runSchedule, type ScheduleReport } from './scheduled-rotation.ts'
import type { SubjectKeyStore } from './subject-key.ts'

export type KeySummary = RingKey & {
  readonly state: KeyState
  /** Of a next key: the earliest time at which it may be promoted. */
  readonly safeToRotateAt: Date | null
  readonly nextStep: NextStep
}

export type MacKeySummary = {
  readonly number: number
  readonly state: 'next' | 'current' | 'retired'
  readonly useFrom: Date
  readonly dropAfter: Date | null
  /** When the schedule makes its successor; null when none does, or there is one. */
  readonly replacedAt: Date | null
}

export type KeyAdministration = {
  /** The keys that are not gone, by algorithm, oldest first. */
  list(): Promise<KeySummary[]>
  /** The keys of refresh tokens, oldest first. */
  listMacKeys(): Promise<MacKeySummary[]>
  /** Promotes the next key of each ring where that is safe, and publishes a new next one. */
  rotate(request: RotationRequest): Promise<RotationPlan[]>
  /** Makes a MAC key that is used once every node has loaded it. */
  rotateMacKey(by: KeyActor): Promise<MacKeyRotation>
  /** Revokes one leaked key; the published next one signs at once. */
  promoteNext(request: PromotionRequest): Promise<EmergencyPlan>
  /** After a leak of the database or a key-encryption key: every key is a new one at once. */
  replaceAll(request: ReplacementRequest): Promise<EmergencyPlan>
  /** Does what is due by itself; safe on several nodes at once. */
  runSchedule(): Promise<ScheduleReport>
  /** Seals again what is sealed under another than the newest key. @returns how many keys. */
  reseal(by: KeyActor): Promise<number>
}

export type KeyAdministrationOptions = {
  readonly signingKeys: SigningKeyStore
  readonly macKeys: MacKeyStore
  readonly subjectKeys: SubjectKeyStore
  readonly clientSecrets: SealedClientSecretStore
  readonly emergencies: KeyEmergencyStore
  readonly sealer: Sealer
  readonly rsaModulusBits: number
  readonly refreshTokenTtlSeconds: number
  readonly schedule: Schedule
  /** Of any token that is signed, in seconds. */
  readonly longestTokenLifetimeSeconds: () => Promise<number>
}

export const createKeyAdministration = (options: KeyAdministrationOptions): KeyAdministration => {
  const { timing } = options.schedule
  const readPolicy = async (): Promise<RotationPolicy> =>
    createRotationPolicy(await options.longestTokenLifetimeSeconds(), timing)
  return {
    list: async () => list(options, await readPolicy()),
    listMacKeys: () => listMacKeys(options),
    rotate: async (request) => rotateRings(options, await readPolicy(), request),
    rotateMacKey: (by) => rotateMacKey({ ...options, timing }, by),
    promoteNext: async (request) =>
      promoteNext({ ...options, timing }, await readPolicy(), request),
    replaceAll: async (request) => replaceAll({ ...options, timing }, await readPolicy(), request),
    runSchedule: async () => runSchedule(options, await readPolicy()),
    reseal: (by) => reseal(options, by),
  }
}

const list = async (
  { signingKeys, schedule }: KeyAdministrationOptions,
  policy: RotationPolicy,
): Promise<KeySummary[]> => {
  const { now, keys } = await signingKeys.list()
  return keys.map(({ sealedPrivateKey: _sealed, ...key }) => ({
    ...key,
    state: stateOf(key, now),
    safeToRotateAt:
      key.signFrom === null ? addSeconds(key.publishedAt, publicationSeconds(policy)) : null,
    nextStep: nextStepOf(key, keys, now, schedule),
  }))
}

const listMacKeys = async ({
  macKeys,
  schedule: { rotationSeconds },
}: KeyAdministrationOptions): Promise<MacKeySummary[]> => {
  const { now, keys } = await macKeys.list()
  const current = findNewestMacKey(keys.filter(({ useFrom }) => useFrom <= now))
  const stateOfMacKey = (key: StoredMacKey): MacKeySummary['state'] => {
    if (key.useFrom > now) return 'next'
    return key === current ? 'current' : 'retired'
  }
  return keys.map((key) => {
    const { number, useFrom, dropAfter } = key
    const isLast = dropAfter === null && rotationSeconds > 0
    const replacedAt = isLast ? addSeconds(useFrom, rotationSeconds) : null
    return { number, state: stateOfMacKey(key), useFrom, dropAfter, replacedAt }
  })
}
