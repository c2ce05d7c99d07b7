/** How strongly people can sign in here: by a password. RFC 9470 leaves the names to whoever gives them. */
export const passwordAcr = 'urn:tessera:pwd'

/** All that a request may ask for, by `acr_values`. */
export const supportedAcrs: readonly string[] = [passwordAcr]

/** What the methods of a sign-in amount to. @param amr as RFC 8176 names them */
export const acrOf = (amr: readonly string[]): string | null =>
  amr.includes('pwd') ? passwordAcr : null
