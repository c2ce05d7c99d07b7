import type { Client } from '../clients/client.ts'

/**
 * The audiences that a client may ask tokens for, and gets when it asks for none. Never empty
 * (RFC 9068 §3).
 */
export const audienceOf = (
  { audience }: Pick<Client, 'audience'>,
  defaultAudience: string,
): readonly string[] => (audience.length > 0 ? audience : [defaultAudience])
