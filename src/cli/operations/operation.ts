import type { Static, TSchema } from 'typebox'
import type { RoleAdministration } from '../../accounts/role-administration.ts'
import type { UserAdministration } from '../../accounts/user-administration.ts'
import type { FamilyStories } from '../../audit/family-stories.ts'
import type { AssertionIssuerAdministration } from '../../clients/assertion-issuer-administration.ts'
import type { AudienceAdministration } from '../../clients/audience-administration.ts'
import type { ClientAdministration } from '../../clients/client-administration.ts'
import type { DetailsTypeAdministration } from '../../clients/details-type-administration.ts'
import type { RegistrationTokenAdministration } from '../../clients/registration-token-administration.ts'
import type { KeyAdministration } from '../../keys/rotation.ts'
import type { SchemaStatus } from '../../stores/postgres/migrator.ts'

/** What the operations act through; the service's own parts. */
export type OperationDeps = {
  readonly keyAdministration: KeyAdministration
  readonly clientAdministration: ClientAdministration
  readonly assertionIssuerAdministration: AssertionIssuerAdministration
  readonly audienceAdministration: AudienceAdministration
  readonly detailsTypeAdministration: DetailsTypeAdministration
  readonly registrationTokenAdministration: RegistrationTokenAdministration
  readonly roleAdministration: RoleAdministration
  readonly userAdministration: UserAdministration
  readonly familyStories: FamilyStories
  /** `server`: the command works beside the service, not in it. */
  readonly mode: 'embedded' | 'server'
  readonly config: { readonly redisServers?: unknown }
  readonly readSchemaStatus: () => Promise<SchemaStatus>
}

/** One thing that the command line can have done, here or in the running server. */
export type Operation<S extends TSchema, R> = {
  readonly input: S
  /** @returns plain JSON with the names of the wire, which is what `--json` prints. */
  readonly run: (deps: OperationDeps, input: Static<S>) => Promise<R>
}

export const defineOperation = <S extends TSchema, R>(
  input: S,
  run: (deps: OperationDeps, input: Static<S>) => Promise<R>,
): Operation<S, R> => ({ input, run })

/** How the audit log names what the command line does. */
export const byCli = { actor: 'cli', origin: {} } as const

/** A time as JSON has it: RFC 3339 in UTC. */
export const toTimestamp = <T extends Date | null>(date: T): T extends Date ? string : null =>
  (date === null ? null : date.toISOString()) as T extends Date ? string : null
