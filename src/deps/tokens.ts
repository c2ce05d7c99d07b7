import { personClaimsOf } from '../accounts/person-claims.ts'
import { firstPartyClientId } from '../clients/client.ts'
import { firstPartyAudienceOf } from '../clients/first-party.ts'
import { sectorOf } from '../clients/sector.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { SubjectKey } from '../keys/subject-key.ts'
import { observeRefresher } from '../observability/observed.ts'
import type { MacKeys } from '../secrets/refresh-token.ts'
import { createAccessTokenRevocation } from '../tokens/access-token-revocation.ts'
import { createFamilies } from '../tokens/families.ts'
import { createFamilyStarter } from '../tokens/family-start.ts'
import { createIdTokenIssuer } from '../tokens/id-token.ts'
import { createIdTokenHints } from '../tokens/id-token-hint.ts'
import { createTokenIssuer } from '../tokens/issuer.ts'
import { createLogoutTokenIssuer } from '../tokens/logout-token.ts'
import { createRefresher } from '../tokens/refresher.ts'
import { createSubjects } from '../tokens/subjects.ts'
import { createAccessTokenVerifier } from '../tokens/verifier.ts'
import type { Foundation } from './foundation.ts'

type Keys = {
  readonly keyRing: KeyRing
  readonly macKeys: MacKeys
  readonly subjectKey: SubjectKey
}

/** What makes, renews, checks and ends tokens. */
export const joinTokens = (foundation: Foundation, { keyRing, macKeys, subjectKey }: Keys) => {
  const { config, clock, stores, audiences, auditWriter, metrics, outages, revocations } =
    foundation
  const { issuer: issuerUrl, accessTokenTtlSeconds } = config
  const subjects = createSubjects({
    sectorOf: async (clientId) => {
      const client = await foundation.clients.find(clientId)
      return client && sectorOf(client)
    },
    key: subjectKey.current,
  })
  const issuer = createTokenIssuer({
    issuer: issuerUrl,
    ownClientId: firstPartyClientId,
    accessTokenTtlSeconds,
    keyRing,
    audiences,
    subjects,
  })
  return {
    issuer,
    subjects,
    idTokenIssuer: createIdTokenIssuer({
      issuer: issuerUrl,
      // No longer than what they stand beside, so that their keys stay published as long.
      lifetimeSeconds: accessTokenTtlSeconds,
      keyRing,
      subjects,
      findPerson: async (id) => {
        const user = await stores.users.find({ id })
        return user && personClaimsOf(user)
      },
    }),
    claimsRequests: stores.claimsRequests,
    logoutTokenIssuer: createLogoutTokenIssuer({ issuer: issuerUrl, keyRing, subjects, clock }),
    idTokenHints: createIdTokenHints({ issuer: issuerUrl, keyRing, subjects, clock }),
    verifier: createAccessTokenVerifier({
      ...{ issuer: issuerUrl, keyRing, revocations, clock, subjects },
    }),
    familyStarter: createFamilyStarter(macKeys),
    families: createFamilies({ store: stores.families, macKeys, revocations }),
    refresher: observeRefresher(
      createRefresher({
        store: stores.families,
        ownClient: { id: firstPartyClientId, audienceOf: firstPartyAudienceOf(config) },
        ...{ macKeys, issuer, revocations, outages, auditWriter },
      }),
      metrics.count,
    ),
    accessTokenRevocation: createAccessTokenRevocation({ store: stores.accessTokens, revocations }),
  }
}
