import type { Static, TSchema } from 'typebox'
import { assertionIssuerOperations } from './assertion-issuers.ts'
import { audienceOperations } from './audiences.ts'
import { clientOperations } from './clients.ts'
import { detailsTypeOperations } from './details-types.ts'
import { familyOperations } from './families.ts'
import { keyOperations } from './keys.ts'
import type { Operation } from './operation.ts'
import { registrationTokenOperations } from './registration-tokens.ts'
import { roleOperations } from './roles.ts'
import { schemaOperations } from './schema.ts'
import { userOperations } from './users.ts'

/** Everything the command line can have done, by name. */
export const operations = {
  ...keyOperations,
  ...clientOperations,
  ...assertionIssuerOperations,
  ...audienceOperations,
  ...detailsTypeOperations,
  ...familyOperations,
  ...registrationTokenOperations,
  ...roleOperations,
  ...userOperations,
  ...schemaOperations,
}

type Operations = typeof operations
export type OperationName = keyof Operations
export type InputOf<N extends OperationName> = Static<Operations[N]['input']>
export type ResultOf<N extends OperationName> =
  Operations[N] extends Operation<infer _S extends TSchema, infer R> ? R : never

/** Has an operation done, wherever the data are. */
export type Call = <N extends OperationName>(name: N, input: InputOf<N>) => Promise<ResultOf<N>>
