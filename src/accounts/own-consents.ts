import type { Origin } from '../audit/event.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { Consent, ConsentStore } from './consents.ts'

export type OwnConsentsParts = {
  readonly consents: ConsentStore
  readonly revocations: Pick<Revocations, 'announce'>
}

/** What people have allowed clients, and how they take it back. */
export type OwnConsents = Pick<ConsentStore, 'find' | 'list'> & {
  grant(consent: Omit<Consent, 'grantedAt'>, origin: Origin): Promise<void>
  /** Told to every node before the promise is kept. @returns false when there was none. */
  revoke(userId: string, clientId: string, origin: Origin): Promise<boolean>
}

export const createOwnConsents = ({ consents, revocations }: OwnConsentsParts): OwnConsents => ({
  find: consents.find,
  list: consents.list,
  grant: (consent, origin) => consents.grant(consent, { actor: consent.userId, origin }),
  async revoke(userId, clientId, origin) {
    // No client is called by a text that PostgreSQL cannot hold.
    if (clientId.includes('\0')) return false
    const revoked = await consents.revoke(userId, clientId, { actor: userId, origin })
    await revocations.announce()
    return revoked
  },
})
