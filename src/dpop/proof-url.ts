/**
 * A request's URL as proofs are compared with it: without query and fragment, in the one spelling
 * of RFC 3986 §6.2.2 and §6.2.3 (RFC 9449 §4.3).
 * @returns undefined for what is no http or https URL
 */
export const toProofUrl = (text: string): string | undefined => {
  // What a parser of URLs would repair is no URL.
  if (!/^[\x21-\x5b\x5d-\x7e]+$/.test(text) || !URL.canParse(text)) return undefined
  const { protocol, username, password, origin, pathname } = new URL(text)
  if (protocol !== 'https:' && protocol !== 'http:') return undefined
  return username + password === '' ? origin + toOneSpelling(pathname) : undefined
}

// What needs no encoding has none, and the others are in upper case (RFC 3986 §6.2.2.1, §6.2.2.2).
const toOneSpelling = (path: string): string =>
  path.replace(/%[0-9a-f]{2}/gi, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16))
    return /[A-Za-z0-9\-._~]/.test(character) ? character : encoded.toUpperCase()
  })
