/** An ordered set of scope tokens; a space-separated string only on the wire (RFC 6749 §3.3). */
export type Scope = readonly string[]

/** Whether a text is one scope token (RFC 6749 §3.3). */
export const isScopeToken = (text: string): boolean => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text)

/** @returns the scope, or undefined when a token has a character that RFC 6749 §3.3 forbids. */
export const parseScope = (value: string): Scope | undefined => {
  const tokens = value.split(' ').filter((token) => token !== '')
  return tokens.every(isScopeToken) ? [...new Set(tokens)] : undefined
}

export const formatScope = (scope: Scope): string => scope.join(' ')

export const isSubset = (inner: readonly string[], outer: readonly string[]): boolean =>
  inner.every((item) => outer.includes(item))
