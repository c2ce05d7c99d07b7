import { firstPartyClientId } from '../clients/client.ts'
import { firstPartyAudienceOf } from '../clients/first-party.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import { observeRefresher } from '../observability/observed.ts'
import type { MacKeys } from '../secrets/refresh-token.ts'
import { createAccessTokenRevocation } from '../tokens/access-token-revocation.ts'
import { createFamilies } from '../tokens/families.ts'
import { createFamilyStarter } from '../tokens/family-start.ts'
import { createTokenIssuer } from '../tokens/issuer.ts'
import { createRefresher } from '../tokens/refresher.ts'
import { createAccessTokenVerifier } from '../tokens/verifier.ts'
import type { Foundation } from './foundation.ts'

/** What makes, renews, checks and ends tokens. */
export const joinTokens = (
  foundation: Foundation,
  { keyRing, macKeys }: { readonly keyRing: KeyRing; readonly macKeys: MacKeys },
) => {
  const { config, clock, stores, audiences, auditWriter, metrics, outages, revocations } =
    foundation
  const { issuer: issuerUrl, accessTokenTtlSeconds } = config
  const issuer = createTokenIssuer({
    issuer: issuerUrl,
    ownClientId: firstPartyClientId,
    accessTokenTtlSeconds,
    keyRing,
    audiences,
  })
  return {
    issuer,
    verifier: createAccessTokenVerifier({ issuer: issuerUrl, keyRing, revocations, clock }),
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
