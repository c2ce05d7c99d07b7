import type { Act } from '../audit/act.ts'
import { type DetailSchema, isDetailSchema } from '../oauth/detail-schema.ts'
import { Problem } from '../oauth/problem.ts'
import { isWellFormedText } from '../oauth/text.ts'
import type { DetailsType, DetailsTypeStore } from './details-type.ts'

/** What an operator says of a type. */
export type DetailsTypeInput = {
  readonly type: string
  readonly description: string
  /** JSON Schema of its members, `type` aside. */
  readonly schema: unknown
}

/** What an operator may do with types of authorization details. Every act is audited. */
export type DetailsTypeAdministration = {
  /**
   * Creates or replaces a type. What was granted before stays granted.
   * @throws {Problem} validation, with all faults at once.
   */
  set(input: DetailsTypeInput, act: Act): Promise<DetailsType>
  /** No client can ask for it from then on. @throws {Problem} not_found. */
  remove(type: string, act: Act): Promise<void>
  /** By type. */
  list(): Promise<DetailsType[]>
}

type DetailsTypeAdministrationOptions = {
  readonly store: DetailsTypeStore
  /** After the commit, before the answer: this node and the others learn of it. */
  readonly announce: () => Promise<void>
}

type Rule = readonly [field: string, message: string, isBroken: (i: DetailsTypeInput) => boolean]

const rules: readonly Rule[] = [
  [
    'type',
    'must be 1 to 200 printable ASCII characters without spaces, quotes and backslashes',
    ({ type }) => !/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/.test(type),
  ],
  [
    'description',
    'must be 1 to 500 characters of text',
    ({ description: text }) => text.trim() === '' || text.length > 500 || !isWellFormedText(text),
  ],
  [
    'schema',
    'must be a JSON Schema of an object with properties, of the keywords that are documented',
    ({ schema }) => !isDetailSchema(schema),
  ],
]

export const createDetailsTypeAdministration = ({
  store,
  announce,
}: DetailsTypeAdministrationOptions): DetailsTypeAdministration => ({
  async set(input, { actor, origin }) {
    const fields = rules.flatMap(([field, message, isBroken]) =>
      isBroken(input) ? [{ field, message }] : [],
    )
    if (fields.length > 0) throw new Problem('validation', { fields })
    const { type, description, schema } = input
    const detailsType = { type, description, schema: schema as DetailSchema }
    await store.set(detailsType, {
      type: 'authorization_details_type.updated',
      outcome: 'success',
      actor,
      details: { type },
      origin,
    })
    await announce()
    return detailsType
  },

  async remove(type, { actor, origin }) {
    const removed = await store.remove(type, {
      type: 'authorization_details_type.removed',
      outcome: 'success',
      actor,
      details: { type },
      origin,
    })
    if (!removed) throw new Problem('not_found')
    await announce()
  },

  list: () => store.list(),
})
