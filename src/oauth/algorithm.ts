/** Algorithms that access tokens are signed with; each has its own keys (RFC 8725 §3.1). */
export const signingAlgorithms = ['RS256', 'ES256', 'EdDSA', 'PS256'] as const
export type SigningAlgorithm = (typeof signingAlgorithms)[number]
