import { randomUUID } from 'node:crypto'
import { randomSecret } from '../secrets/random.ts'
import { digestRefreshSecret, encodeRefreshToken, type MacKeys } from '../secrets/refresh-token.ts'
import type { NewFamily } from './new-family.ts'

export type FamilyStarter = {
  /** @returns a family to be stored, and its first refresh token; only the family's digest is kept. */
  startFamily(input: Omit<NewFamily, 'id' | 'digest'>): {
    readonly family: NewFamily
    readonly refreshToken: string
  }
}

export const createFamilyStarter = (macKeys: MacKeys): FamilyStarter => ({
  startFamily(input) {
    const parts = { familyId: randomUUID(), generation: 1, secret: randomSecret() }
    return {
      family: { ...input, id: parts.familyId, digest: digestRefreshSecret(parts) },
      refreshToken: encodeRefreshToken(parts, macKeys.current()),
    }
  },
})
