import type { Logger } from 'pino'
import { findSplit } from '../clients/split-audience.ts'
import type { Config } from '../config.ts'
import type { AudienceDirectory } from '../tokens/issuer.ts'

/** Says once at start when a resource server will refuse how people's tokens are signed. */
export const warnOfSplit = (
  config: Config,
  { settingsOf }: AudienceDirectory,
  logger: Logger,
): void => {
  const audiences = findSplit(config, settingsOf)
  if (audiences === undefined) return
  logger.warn(
    { audiences },
    'the audiences that people get tokens for want different algorithms: the one of ISSUER is used; set the same for both with `tessera audiences set`',
  )
}
