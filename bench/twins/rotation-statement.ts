import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely'
import { createConnection } from '../../src/stores/postgres/database.ts'
import { createRefreshFamilyStore } from '../../src/stores/postgres/refresh-families.ts'
import type { Database } from '../../src/stores/postgres/schema.ts'
import type { Rotation } from '../../src/tokens/family-store.ts'

/** The service's own statement for a refresh, with its parameters by position. */
export type RotationStatement = {
  readonly text: string
  values(rotation: Rotation): unknown[]
}

/** Lets the store make its statement once and keeps the text, so that the twin's is never another. */
export const captureRotationStatement = async (): Promise<RotationStatement> => {
  const model: Rotation = {
    familyId: 'family',
    generation: Number.MAX_SAFE_INTEGER,
    digest: Buffer.of(1),
    clientId: 'client',
    confirmation: 'confirmation',
    scope: undefined,
    audience: undefined,
    successorDigest: Buffer.of(2),
    salt: Buffer.of(3),
    from: Buffer.of(4),
  }
  const { sql, parameters } = await capture(model)
  const members = Object.keys(model) as (keyof Rotation)[]
  const positions = parameters.map((parameter) =>
    members.find((member) => model[member] === parameter),
  )
  return {
    text: sql,
    values: (rotation) =>
      positions.map((member, index) => (member ? rotation[member] : parameters[index])),
  }
}

const capture = async (model: Rotation): Promise<CompiledQuery> => {
  const queries: CompiledQuery[] = []
  const db = new Kysely<Database>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (kysely) => new PostgresIntrospector(kysely),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: ({ query }) => void queries.push(query),
  })
  await createRefreshFamilyStore(createConnection(db), () => 0).rotate(model)
  const [query] = queries
  if (query === undefined) throw new Error('the store made no statement')
  return query
}
