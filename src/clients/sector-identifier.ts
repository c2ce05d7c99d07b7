import type { Outbound } from '../outbound/outbound.ts'
import type { Client } from './client.ts'
import { invalidMetadata } from './registration-errors.ts'

/**
 * Makes sure that the document at a client's sector identifier names all its redirect URIs, so that
 * nobody joins the sector of others (OpenID Connect Registration §5).
 * @throws {OAuthError} invalid_client_metadata; which way the address failed is for the log alone,
 *   as whoever has named it must not learn what answers there
 */
export const checkSector = async (
  outbound: Pick<Outbound, 'send'>,
  { settings, redirectUris }: Pick<Client, 'settings' | 'redirectUris'>,
): Promise<void> => {
  const { sectorIdentifierUri: url } = settings
  if (url === null) return
  const outcome = await outbound.send({ url, mediaTypes: ['application/json'] })
  const named = outcome.ok ? parseList(outcome.body) : undefined
  if (named !== undefined && redirectUris.every((uri) => named.includes(uri))) return
  const message = 'must name a JSON array that holds all redirect_uris'
  throw invalidMetadata(
    [{ field: 'sector_identifier_uri', message }],
    `sector identifier: ${outcome.ok ? 'content' : outcome.reason}`,
  )
}

const parseList = (body: Buffer): unknown[] | undefined => {
  try {
    const document: unknown = JSON.parse(body.toString())
    return Array.isArray(document) ? document : undefined
  } catch {
    return undefined
  }
}
