/**
 * Where the routes stand: below the issuer's path, so that every address is the issuer with
 * something appended; a proxy passes the path on as it is.
 * @returns '' for an issuer without a path, else such as `/auth`
 */
export const basePathOf = (issuer: string): string => new URL(issuer).pathname.replace(/\/$/, '')
