import type { Config } from '../config.ts'
import type { SigningAlgorithm } from '../oauth/algorithm.ts'
import { type AudienceDirectory, commonAlgorithm } from '../tokens/issuer.ts'
import { firstPartyAudience } from './first-party.ts'

/** What the audiences that people's tokens share want, where that is not the same. */
export type Split = readonly { readonly audience: string; readonly algorithm: SigningAlgorithm }[]

/**
 * Whether the settings contradict what people's tokens are for: those are then signed as the
 * issuer's own setting says, and who is not content with that refuses them.
 * @returns undefined when they do not.
 */
export const findSplit = (
  config: Pick<Config, 'issuer' | 'defaultAudience'>,
  settingsOf: AudienceDirectory['settingsOf'],
): Split | undefined => {
  const shared = firstPartyAudience(config)
  if (commonAlgorithm(shared, settingsOf) !== undefined) return undefined
  return shared.flatMap((audience) => {
    const algorithm = settingsOf(audience)?.signingAlgorithm
    return algorithm === undefined ? [] : [{ audience, algorithm }]
  })
}
