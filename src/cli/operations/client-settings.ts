import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { ClientSettings } from '../../clients/client-settings.ts'
import { readSettings } from '../../endpoints/client-settings-body.ts'
import { settingMembers } from '../../endpoints/client-settings-schema.ts'
import { Problem } from '../../oauth/problem.ts'
import { toPrintableName } from '../../oauth/text.ts'
import { type Field, type SchemaComplaint, toFields } from '../../plugins/validation-fields.ts'

/** Settings of a client as they are typed; what they may be is checked when they are read. */
export const statedSettings = Type.Optional(Type.Record(Type.String(), Type.Unknown()))

const document = Type.Object(settingMembers)

/**
 * The settings that a document states, as part of a registration or a change.
 * @throws {Problem} validation, naming what is no setting or not of its type
 */
export const readStatedSettings = (
  stated: Readonly<Record<string, unknown>> | undefined,
): { readonly settings?: Partial<ClientSettings> } => {
  if (stated === undefined) return {}
  const unknown = Object.keys(stated).filter((name) => !Object.hasOwn(settingMembers, name))
  refuse(unknown.map((name) => ({ field: toPrintableName(name), message: 'is not a setting' })))
  if (!Value.Check(document, stated)) {
    refuse(toFields(Value.Errors(document, stated) as SchemaComplaint[], 'the settings'))
  }
  return { settings: readSettings(stated) }
}

const refuse = (fields: readonly Field[]): void => {
  if (fields.length > 0) throw new Problem('validation', { fields })
}
