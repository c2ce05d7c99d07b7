/**
 * Whether a name can stand in `aud`: printable, and a URI where it has a colon (StringOrURI,
 * RFC 7519 §2), without a fragment (RFC 8707 §2).
 */
export const isAudience = (name: string): boolean =>
  /^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/.test(name) &&
  !name.includes('#') &&
  (!name.includes(':') || URL.canParse(name))
