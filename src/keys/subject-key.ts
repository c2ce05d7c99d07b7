import { createSecretKey, type KeyObject } from 'node:crypto'
import { randomSecret } from '../secrets/random.ts'
import { SealError, type Sealer } from '../secrets/sealer.ts'
import { byTheService } from './first-keys.ts'
import type { KeyActor } from './key-store.ts'

/** The one key that pairwise subjects are made by, as it is stored: sealed. */
export type SubjectKeyStore = {
  find(): Promise<Buffer | undefined>
  /** Does nothing when there is one: of nodes that start at once, one makes it. */
  insertFirst(sealedKey: Buffer, by: KeyActor): Promise<void>
  /** Replaces a sealed key that is still `from`. @returns false when it is not. */
  reseal(from: Buffer, to: Buffer, by: KeyActor): Promise<boolean>
}

/**
 * The key of pairwise subjects, in memory. No rotation or emergency replaces it, or every person
 * would be a stranger to every client with pairwise subjects; it belongs into each backup.
 */
export type SubjectKey = {
  /** @throws {TypeError} before `start`: a mistake of the program */
  current(): KeyObject
  /** Makes it when there is none, and opens it. @throws {SealError} with what to do */
  start(): Promise<void>
  close(): void
}

const sealContext = 'subject key'
const subjectKeyBytes = 32

export const openSubjectKey = (sealed: Buffer, sealer: Sealer): Buffer =>
  sealer.open(sealed, sealContext)

export const sealSubjectKey = (key: Buffer, sealer: Sealer): Buffer => sealer.seal(key, sealContext)

export const createSubjectKey = (store: SubjectKeyStore, sealer: Sealer): SubjectKey => {
  let key: KeyObject | undefined
  return {
    current() {
      if (key === undefined) throw new TypeError('the subject key is not loaded')
      return key
    },
    async start() {
      if ((await store.find()) === undefined) {
        const first = sealSubjectKey(randomSecret(subjectKeyBytes), sealer)
        await store.insertFirst(first, byTheService)
      }
      const sealed = await store.find()
      if (sealed === undefined) throw new SealError('the subject key was not kept')
      key = createSecretKey(openSubjectKey(sealed, sealer))
    },
    close() {},
  }
}
