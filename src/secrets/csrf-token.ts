import { randomSecret } from './random.ts'
import { decodeRefreshToken, type MacKeys } from './refresh-token.ts'
import { createSignedValues } from './signed-value.ts'

/**
 * Proofs that a script which may read our answers has made a request. Each is bound to one
 * refresh-token family, so that of another session is worth nothing, and holds as long as the
 * family lives. Fresh salt makes each look different (BREACH).
 */
export type CsrfTokens = {
  issue(familyId: string): string
  isGenuine(token: string, familyId: string): Promise<boolean>
  /** @returns the family of a refresh token that we made, whatever has become of it since. */
  familyOf(refreshToken: string): Promise<string | undefined>
}

const saltLength = 16

export const createCsrfTokens = (macKeys: MacKeys): CsrfTokens => {
  const values = createSignedValues('csrf token', macKeys)
  return {
    issue: (familyId) => values.sign(randomSecret(saltLength), familyId),
    isGenuine: async (token, familyId) => (await values.open(token, familyId)) !== undefined,
    familyOf: async (refreshToken) => (await decodeRefreshToken(refreshToken, macKeys))?.familyId,
  }
}
