import type { BrowserSession } from '../accounts/browser-session.ts'
import type { Client } from '../clients/client.ts'
import type { Clients } from '../clients/client-directory.ts'
import { invalidRequest } from '../oauth/error.ts'
import type { IdTokenHint, IdTokenHints } from '../tokens/id-token-hint.ts'
import { type RawParameters, toParameters } from './parameters.ts'

/** A request to sign out, every member of which has been checked. */
export type LogoutRequest = {
  /** Whom the client means. */
  readonly hint?: IdTokenHint
  readonly client?: Client
  /** One of the client's own. */
  readonly redirectUri?: string
  readonly state?: string
  readonly uiLocales: readonly string[]
}

type Parts = {
  readonly clients: Pick<Clients, 'find'>
  readonly idTokenHints: IdTokenHints
}

/**
 * Reads a request to sign out (RP-Initiated Logout §2).
 * @throws {OAuthError} invalid_request, for a page: the browser goes nowhere
 */
export const readLogoutRequest = async (
  raw: RawParameters,
  { clients, idTokenHints }: Parts,
): Promise<LogoutRequest> => {
  const { single } = toParameters(raw)
  const { state, client_id: statedId, ui_locales: uiLocales = '' } = single
  const hint = await readHint(single.id_token_hint, idTokenHints)
  if (hint !== undefined && statedId !== undefined && hint.clientId !== statedId) {
    throw invalidRequest('The id_token_hint was given to another client')
  }
  const client = await findClient(hint?.clientId ?? statedId, clients)
  const redirectUri = single.post_logout_redirect_uri
  if (redirectUri !== undefined) requireOwnUri(redirectUri, client)
  return {
    uiLocales: uiLocales.split(' ').filter((tag) => tag !== ''),
    ...(hint === undefined ? {} : { hint }),
    ...(client === undefined ? {} : { client }),
    ...(redirectUri === undefined ? {} : { redirectUri }),
    ...(state === undefined ? {} : { state }),
  }
}

const readHint = async (
  token: string | undefined,
  idTokenHints: IdTokenHints,
): Promise<IdTokenHint | undefined> => {
  if (token === undefined) return undefined
  const hint = await idTokenHints.read(token)
  if (hint === undefined) throw invalidRequest('The id_token_hint is not one of our ID tokens')
  return hint
}

const findClient = async (
  id: string | undefined,
  clients: Pick<Clients, 'find'>,
): Promise<Client | undefined> => {
  if (id === undefined) return undefined
  const client = await clients.find(id)
  if (client === undefined || client.disabledAt !== null) {
    throw invalidRequest('The client_id is unknown')
  }
  return client
}

// Compared as texts, without any exception (RP-Initiated Logout §3.1).
const requireOwnUri = (uri: string, client: Client | undefined): void => {
  if (client === undefined) {
    throw invalidRequest('post_logout_redirect_uri needs client_id or id_token_hint')
  }
  if (!client.settings.postLogoutRedirectUris.includes(uri)) {
    throw invalidRequest('The post_logout_redirect_uri is not registered for the client')
  }
}

/** Which of the browser's sessions end, and whether the person is asked before. */
export type LogoutDecision = {
  readonly asks: boolean
  readonly sessions: readonly BrowserSession[]
}

/**
 * Nobody is signed out by another site without being asked, unless it shows that it was told who is
 * signed in (RP-Initiated Logout §6).
 */
export const decideLogout = (
  { hint }: Pick<LogoutRequest, 'hint'>,
  present: readonly BrowserSession[],
): LogoutDecision => {
  const meant = present.filter(({ userId }) => userId === hint?.userId)
  if (meant.length > 0) return { asks: false, sessions: meant }
  return { asks: present.length > 0, sessions: present }
}
