import { CompiledQuery, type QueryResult, type RawBuilder, sql } from 'kysely'
import type { Executor } from './database.ts'

/** Marks a place in a statement that is filled anew each time it runs. */
export type Place<Values> = (read: (values: Values) => unknown) => RawBuilder<unknown>

class Parameter<Values> {
  readonly read: (values: Values) => unknown

  constructor(read: (values: Values) => unknown) {
    this.read = read
  }
}

/**
 * A statement whose text is made at its first run and never again; for those that run with most
 * requests, because making it takes the process longer than all else that it does for them.
 */
export const compileOnce = <Values, Row>(
  build: (place: Place<Values>) => RawBuilder<Row>,
): ((db: Executor, values: Values) => Promise<QueryResult<Row>>) => {
  let compiled: CompiledQuery<Row> | undefined
  return (db, values) => {
    compiled ??= build((read) => sql`${new Parameter(read)}`).compile(db)
    const parameters = compiled.parameters.map((parameter) =>
      parameter instanceof Parameter ? parameter.read(values) : parameter,
    )
    return db.executeQuery<Row>(CompiledQuery.raw(compiled.sql, parameters))
  }
}
