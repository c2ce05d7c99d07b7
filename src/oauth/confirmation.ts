/**
 * The key that a token is bound to (`cnf`, RFC 7800 §3.1): a DPoP key by its thumbprint (RFC 9449
 * §6.1), or a client certificate by its own (RFC 8705 §3.1). Base64url of SHA-256.
 */
export type Confirmation = { readonly jkt: string } | { readonly 'x5t#S256': string }

/** One text, as families and codes keep it, such as `jkt:0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I`. */
export const formatConfirmation = (confirmation: Confirmation): string => {
  const [[method, thumbprint]] = Object.entries(confirmation) as [[string, string]]
  return `${method}:${thumbprint}`
}

export const parseConfirmation = (text: string): Confirmation => {
  const colon = text.indexOf(':')
  const thumbprint = text.slice(colon + 1)
  return text.slice(0, colon) === 'jkt' ? { jkt: thumbprint } : { 'x5t#S256': thumbprint }
}

/** @returns undefined for what is not exactly one of the two. */
export const readConfirmation = (claim: unknown): Confirmation | undefined => {
  if (typeof claim !== 'object' || claim === null) return undefined
  const [[method, thumbprint] = [], second] = Object.entries(claim)
  if (second !== undefined || typeof thumbprint !== 'string') return undefined
  if (method === 'jkt') return { jkt: thumbprint }
  return method === 'x5t#S256' ? { 'x5t#S256': thumbprint } : undefined
}

/** Whether both name the same key, by the same method. */
export const isSameConfirmation = (one: Confirmation, other: Confirmation): boolean =>
  formatConfirmation(one) === formatConfirmation(other)

/** How tokens that are bound so are presented (RFC 9449 §5, RFC 8705 §3). */
export const tokenTypeOf = (confirmation: Confirmation | undefined): 'Bearer' | 'DPoP' =>
  confirmation !== undefined && 'jkt' in confirmation ? 'DPoP' : 'Bearer'
