import type { Sealer } from '../secrets/sealer.ts'
import type { StoredMacKey } from './key-store.ts'

export const macKeyBytes = 32

/** Tokens name their MAC key in one byte. */
export const highestMacKeyNumber = 255

const sealContext = (number: number): string => `MAC key ${number}`

export const sealMacKey = (number: number, key: Buffer, sealer: Sealer): Buffer =>
  sealer.seal(key, sealContext(number))

/** @throws {SealError} when it cannot be opened. */
export const openMacKey = (
  { number, sealedKey }: Pick<StoredMacKey, 'number' | 'sealedKey'>,
  sealer: Sealer,
): Buffer => sealer.open(sealedKey, sealContext(number))
