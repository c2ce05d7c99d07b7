import { invalidRequest } from '../oauth/error.ts'

/** Every value of every parameter as it came; no empty ones, which count as absent. */
export type RawParameters = Readonly<Record<string, readonly string[]>>

/** Each parameter once, but for those that may come several times. */
export type Parameters = {
  readonly single: Readonly<Record<string, string>>
  readonly repeatable: Readonly<Record<string, readonly string[]>>
}

/** May come several times (RFC 8707 §2). */
export const repeatableParameters = ['resource'] as const

/** A parameter that stands for itself, whatever else is wrong; undefined when it is repeated. */
export const onlyValue = (raw: RawParameters, name: string): string | undefined =>
  raw[name]?.length === 1 ? raw[name][0] : undefined

/** @throws {OAuthError} invalid_request for what is repeated (OAuth 2.1 §3.1). */
export const toParameters = (raw: RawParameters): Parameters => {
  const single: Record<string, string> = Object.create(null)
  const repeatable: Record<string, readonly string[]> = Object.create(null)
  for (const [name, values] of Object.entries(raw)) {
    const [value, second] = values
    if (repeatableParameters.some((each) => each === name)) repeatable[name] = values
    else if (second !== undefined) throw invalidRequest('A parameter must not be repeated')
    else if (value !== undefined) single[name] = value
  }
  return { single, repeatable }
}

/**
 * The members of a request object as parameters (RFC 9101 §4): numbers and structures become the
 * texts that they would be in an address.
 */
export const fromRequestObject = (members: Readonly<Record<string, unknown>>): RawParameters => {
  const raw: Record<string, readonly string[]> = Object.create(null)
  for (const [name, value] of Object.entries(members)) {
    if (value === null || value === undefined || value === '') continue
    const isList = Array.isArray(value) && repeatableParameters.some((each) => each === name)
    raw[name] = isList ? value.map(toText) : [toText(value)]
  }
  return raw
}

const toText = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value)
