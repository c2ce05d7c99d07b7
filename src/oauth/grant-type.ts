/** Grant types that a client may be registered for (RFC 6749 §1.3). */
export const grantTypes = ['client_credentials', 'refresh_token'] as const
export type GrantType = (typeof grantTypes)[number]
