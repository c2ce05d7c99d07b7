/** An origin of a web page, exactly as a browser sends it (RFC 6454 §6.2); no pattern of several. */
export const isWebOrigin = (text: string): boolean =>
  !text.includes('*') &&
  URL.canParse(text) &&
  /^https?:$/.test(new URL(text).protocol) &&
  new URL(text).origin === text
