import { createDpopNonces } from '../dpop/nonces.ts'
import { createDpopProofs, type DpopProofs } from '../dpop/proofs.ts'
import type { OneTimeIds } from '../secrets/one-time-ids.ts'
import type { MacKeys } from '../secrets/refresh-token.ts'
import type { Foundation } from './foundation.ts'

/** What checks proofs of possession. */
export const joinDpop = (
  { config, clock }: Pick<Foundation, 'config' | 'clock'>,
  { macKeys, oneTimeIds }: { readonly macKeys: MacKeys; readonly oneTimeIds: OneTimeIds },
): DpopProofs =>
  createDpopProofs({
    nonces: createDpopNonces({ macKeys, clock }),
    ...{ oneTimeIds, clock },
    origins: [new URL(config.issuer).origin, config.mtlsOrigin ?? []].flat(),
  })
