import { readFileSync, writeFileSync } from 'node:fs'
import pg from 'pg'

/** What the database answered to a statement: so many rows of these columns, or a refusal. */
export type Reply =
  | { readonly rows: number; readonly columns: readonly string[] }
  | { readonly code: string; readonly constraint?: string }

export type Statement = {
  readonly text: string
  readonly values: readonly unknown[]
  readonly reply: Reply
}

/** What a release was, and everything that it said to its database on a journey, in its order. */
export type Transcript = {
  readonly release: number
  /** SHA-256 of its migrations by their names, in base64url: they are never changed again. */
  readonly migrations: Readonly<Record<string, string>>
  /** What the journey left in the hands of its people. */
  readonly outcome: Readonly<Record<string, string>>
  readonly statements: readonly Statement[]
}

/** The one whose nodes still run while this one is rolled out; its transcript is kept here. */
export const releaseBefore = 2

const fileOf = (release: number): URL => new URL(`release-${release}.ndjson`, import.meta.url)

/** One line for what the release was, with each text once; then one for each statement. */
export const writeTranscript = ({ statements, ...head }: Transcript): void => {
  const texts = [...new Set(statements.map(({ text }) => text))]
  const said = statements.map((statement) => ({
    ...statement,
    text: texts.indexOf(statement.text),
  }))
  const lines = [{ ...head, texts }, ...said].map((line) => `${JSON.stringify(line)}\n`)
  writeFileSync(fileOf(head.release), lines.join(''))
}

/** The transcript of a release that was made, with times counted from now. */
export const readTranscript = (release: number): Transcript => {
  const [head, ...said] = readFileSync(fileOf(release), 'utf8').trim().split('\n')
  const { texts, ...rest } = JSON.parse(head ?? '') as Transcript & { texts: string[] }
  const startedAt = Date.now()
  const statements = said.map((line) => {
    const { text, values, reply } = JSON.parse(line) as Statement
    return {
      text: texts[Number(text)] ?? '',
      values: values.map((value) => decode(value, startedAt)),
      reply,
    }
  })
  return { ...rest, statements }
}

/** As JSON can carry it; a time by its distance from the beginning, in milliseconds. */
export const encode = (value: unknown, startedAt: number): unknown => {
  if (value instanceof Date) return { time: value.getTime() - startedAt }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return value.map((each) => encode(each, startedAt))
  return value
}

/** @param startedAt the beginning that times are counted from now */
export const decode = (value: unknown, startedAt: number): unknown => {
  if (Array.isArray(value)) return value.map((each) => decode(each, startedAt))
  if (typeof value !== 'object' || value === null) return value
  if ('time' in value) return new Date(startedAt + Number(value.time))
  if ('bytes' in value) return Buffer.from(String(value.bytes), 'base64')
  return value
}

/** The reply as it is compared. */
export const replyOf = ({ rowCount, fields }: pg.QueryResult): Reply => ({
  rows: rowCount ?? 0,
  columns: fields.map(({ name }) => name),
})

/** The refusal as it is compared. @throws what is no refusal of the server */
export const refusalOf = (error: unknown): Reply => {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) throw error
  return { code: error.code, ...(error.constraint ? { constraint: error.constraint } : {}) }
}

type Query = (...parameters: unknown[]) => unknown

const statementOf = (parameters: readonly unknown[]) => {
  const [first, values = []] = parameters
  return typeof first === 'string'
    ? { text: first, values: values as unknown[] }
    : { values: [], ...(first as { text: string; values?: unknown[] }) }
}

/**
 * Writes down what the service of this process says to its database while `act` runs. It must have
 * one connection only, or the order would be lost; migrations are left out.
 */
export const record = async (act: () => Promise<unknown>): Promise<Statement[]> => {
  const statements: Statement[] = []
  const startedAt = Date.now()
  const { query } = pg.Client.prototype as unknown as { query: Query }
  const listening = async function (this: pg.Client, ...parameters: unknown[]) {
    const answer = query.apply(this, parameters) as Promise<pg.QueryResult>
    const { application_name: name } = (
      this as unknown as { connectionParameters: { application_name: string } }
    ).connectionParameters
    if (name !== 'tessera') return answer
    const { text, values } = statementOf(parameters)
    const said = { text, values: values.map((value) => encode(value, startedAt)) }
    return answer.then(
      (result) => {
        statements.push({ ...said, reply: replyOf(result) })
        return result
      },
      (error: unknown) => {
        statements.push({ ...said, reply: refusalOf(error) })
        throw error
      },
    )
  }
  Object.assign(pg.Client.prototype, { query: listening })
  try {
    await act()
  } finally {
    Object.assign(pg.Client.prototype, { query })
  }
  return statements
}
