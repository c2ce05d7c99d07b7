import type { Client } from './client.ts'

/**
 * The sector of a client with pairwise subjects (OpenID Connect Core §8.1): the host of its sector
 * identifier, else the one host of its redirect URIs. An app whose private-use redirect URIs have no
 * host is a sector of its own. undefined: its subjects are public.
 */
export const sectorOf = ({ id, redirectUris, settings }: Client): string | undefined => {
  if (settings.subjectType === 'public') return undefined
  const [uri = ''] =
    settings.sectorIdentifierUri === null ? redirectUris : [settings.sectorIdentifierUri]
  return (URL.canParse(uri) && new URL(uri).hostname) || id
}
