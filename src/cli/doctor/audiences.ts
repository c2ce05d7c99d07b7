import { findSplit } from '../../clients/split-audience.ts'
import type { Config } from '../../config.ts'
import { createAudienceStore } from '../../stores/postgres/audiences.ts'
import type { Connection } from '../../stores/postgres/database.ts'
import { type Finding, warning } from './finding.ts'

/** Whether the audiences that people's tokens share want the same algorithm. */
export const examineAudiences = async (
  config: Config,
  connection: Connection,
): Promise<Finding[]> => {
  const settings = new Map(
    (await createAudienceStore(connection).list()).map((each) => [each.name, each]),
  )
  const split = findSplit(config, (name) => settings.get(name))
  if (split === undefined) return []
  const wishes = split.map(({ audience, algorithm }) => `${audience} wants ${algorithm}`).join(', ')
  return [
    warning(
      'audiences',
      `People get tokens for audiences that want different algorithms: ${wishes}`,
      'Set the same for both with `tessera audiences set`; until then the one of ISSUER is used',
    ),
  ]
}
