import type { ClaimsRequest } from '../oauth/claims-request.ts'

/** What authorization requests asked to be told, one claim at a time. */
export type ClaimsRequests = {
  /** @param familyId `fam` of a token, whether or not it has a refresh token beside it */
  find(familyId: string): Promise<ClaimsRequest | null>
}
