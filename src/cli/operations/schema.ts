import { Type } from 'typebox'
import { defineOperation } from './operation.ts'

// A server that runs has migrated already, and its schema must not be undone under it: all that is
// left to ask is how it stands.
export const schemaOperations = {
  'schema.status': defineOperation(Type.Object({}), ({ readSchemaStatus }) => readSchemaStatus()),
}
