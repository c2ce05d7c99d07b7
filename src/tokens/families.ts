import type { Origin } from '../audit/event.ts'
import type { Revocations } from '../revocation/revocations.ts'
import { decodeRefreshToken, digestRefreshSecret, type MacKeys } from '../secrets/refresh-token.ts'
import type { FamilyGrant, RefreshFamilyStore } from './family-store.ts'
import { judge } from './refresh-family.ts'

export type LocatedFamily = {
  readonly grant: FamilyGrant
  /** The presented token is the family's current one and would be accepted now. */
  readonly usable: boolean
}

export type Families = {
  /**
   * The family of a genuine refresh token of any generation; undefined for what we did not make.
   * Changes nothing.
   */
  locate(refreshToken: string): Promise<LocatedFamily | undefined>
  /** Ends one family; no token of it is accepted from then on. @returns false when it had ended. */
  revoke(
    family: FamilyGrant,
    act: { readonly reason: string; readonly actor: string; readonly origin: Origin },
  ): Promise<boolean>
}

type Dependencies = {
  readonly store: RefreshFamilyStore
  readonly macKeys: MacKeys
  readonly revocations: Pick<Revocations, 'announce'>
}

export const createFamilies = ({ store, macKeys, revocations }: Dependencies): Families => ({
  async locate(refreshToken) {
    const parts = await decodeRefreshToken(refreshToken, macKeys)
    const view = parts && (await store.inspect(parts.familyId))
    if (parts === undefined || view === undefined) return undefined
    const { state, grant } = view
    const presented = {
      clientId: state.clientId,
      confirmation: state.confirmation,
      generation: parts.generation,
      digest: digestRefreshSecret(parts),
      successorDigest: null,
      from: Buffer.alloc(0),
      scope: undefined,
      audience: undefined,
    }
    const strict = { graceSeconds: 0, retryElsewhere: 'refuse', rotation: 'rotate' } as const
    const { outcome } = judge({ ...state, outageMs: 0 }, presented, strict, grant.now)
    return { grant, usable: outcome === 'again' }
  },

  async revoke(family, { reason, actor, origin }) {
    const revoked = await store.revoke(family.familyId, reason, [
      {
        type: 'family.revoked',
        outcome: 'success',
        actor,
        subject: family.userId,
        clientId: family.clientId,
        ...(family.sessionId === null ? {} : { sessionId: family.sessionId }),
        familyId: family.familyId,
        details: { reason },
        origin,
      },
    ])
    if (revoked) await revocations.announce()
    return revoked
  },
})
