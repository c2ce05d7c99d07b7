import type { AuthorizationDetail } from '../oauth/authorization-details.ts'
import { matchesSchema } from '../oauth/detail-schema.ts'
import { OAuthError } from '../oauth/error.ts'
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

/**
 * What a request takes of what was granted; undefined: all of it (RFC 9396 §6).
 * @throws {OAuthError} invalid_authorization_details when it asks for more.
 */
export const narrowAuthorizationDetails = (
  requested: readonly AuthorizationDetail[] | undefined,
  granted: readonly AuthorizationDetail[] | undefined,
): readonly AuthorizationDetail[] | undefined => {
  if (requested === undefined) return granted
  const isGranted = (detail: AuthorizationDetail): boolean =>
    granted?.some((each) => isWithin(detail, each)) === true
  if (!requested.every(isGranted)) throw invalidDetails('It is beyond what was granted')
  return requested
}

export const invalidDetails = (reason: string): OAuthError =>
  new OAuthError('invalid_authorization_details', `authorization_details: ${reason}`)

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

/**
 * Whether one detail gives no more than another. To leave a member out may mean more, so that both
 * have the same ones; of a list of texts, such as `actions`, fewer are less.
 */
const isWithin = (detail: AuthorizationDetail, granted: AuthorizationDetail): boolean => {
  const names = Object.keys(detail)
  return (
    names.length === Object.keys(granted).length &&
    names.every(
      (name) =>
        Object.hasOwn(granted, name) &&
        (isSubList(detail[name], granted[name]) || isSame(detail[name], granted[name])),
    )
  )
}

const isSubList = (list: unknown, granted: unknown): boolean =>
  Array.isArray(list) &&
  Array.isArray(granted) &&
  list.length > 0 &&
  list.every((item) => typeof item === 'string' && granted.includes(item))

const isSame = (one: unknown, other: unknown): boolean => canonical(one) === canonical(other)

// Members in one order, so that equal values have equal texts.
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  )
