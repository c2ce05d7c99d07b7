import type { SchemaStatus } from '../../stores/postgres/migrator.ts'
import { refusals } from '../../stores/postgres/schema-state.ts'
import { type Finding, failed, fine, warning } from './finding.ts'

/** What the state of the schema means for a start. */
export const examineSchema = (
  { state, pending }: Pick<SchemaStatus, 'state' | 'pending'>,
  migrateOnStart: boolean,
): Finding => {
  if (state === 'current') return fine('migrations', 'The schema is up to date')
  if (state === 'newer') {
    return warning(
      'migrations',
      'The schema is one release newer than this version of Tessera, which works with it',
      'Go on with the upgrade of the other nodes',
    )
  }
  if (state === 'behind' && migrateOnStart) {
    return warning(
      'migrations',
      `The schema lacks ${pending.length} migrations, which the next start applies`,
      'Start the service, or run `tessera migrate`',
    )
  }
  const [message = '', advice = ''] = refusals[state].split(': ')
  return failed('migrations', message, advice.charAt(0).toUpperCase() + advice.slice(1))
}
