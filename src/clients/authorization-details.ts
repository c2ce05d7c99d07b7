import { type AuthorizationDetail, invalidDetails } from '../oauth/authorization-details.ts'
import { matchesSchema } from '../oauth/detail-schema.ts'
import { isWellFormedJson } from '../oauth/text.ts'
import type { Client } from './client.ts'
import type { DetailsTypes } from './details-type-directory.ts'

/** How many things one request may ask for. */
const mostDetails = 20

/**
 * Reads the parameter `authorization_details` of a client, as it comes at any endpoint.
 * @throws {OAuthError} invalid_authorization_details when it is not a list of objects, each of a type
 *   that is registered and allowed to the client, and of which all members are valid (RFC 9396 §5).
 */
export const readAuthorizationDetails = (
  text: string,
  { settings }: Pick<Client, 'settings'>,
  types: Pick<DetailsTypes, 'find'>,
): readonly AuthorizationDetail[] => {
  const details = parse(text)
  for (const detail of details) {
    const { type, ...members } = detail
    const known = types.find(type)
    if (known === undefined) throw invalidDetails('The type is not known')
    if (!settings.authorizationDetailsTypes.includes(type)) {
      throw invalidDetails('The client may not ask for this type')
    }
    if (!matchesSchema(known.schema, members)) {
      throw invalidDetails('A member is missing, unknown or not valid')
    }
  }
  return details
}

const parse = (text: string): AuthorizationDetail[] => {
  const value = parseJson(text)
  if (!Array.isArray(value) || value.length === 0 || value.length > mostDetails) {
    throw invalidDetails(`It must be a JSON array of 1 to ${mostDetails} objects`)
  }
  if (!value.every(isDetail)) throw invalidDetails('Each must be an object with a type')
  return value
}

const parseJson = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text)
    // Escapes can spell what neither Postgres nor a token can hold.
    return isWellFormedJson(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isDetail = (value: unknown): value is AuthorizationDetail =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
