import { OAuthError } from './error.ts'

/** One thing that is asked for, beyond scope (RFC 9396 §2). The type says which members it has. */
export type AuthorizationDetail = { readonly type: string; readonly [member: string]: unknown }

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
