import { type Client, isVetted } from '../clients/client.ts'
import { invalidRequest } from '../oauth/error.ts'
import { matchesRedirectUri } from '../oauth/redirect-uri.ts'
import type { ResponseMode } from '../oauth/response-mode.ts'
import { onlyValue, type RawParameters } from './parameters.ts'

/** Where an answer goes, be the rest of the request right or wrong. */
export type RedirectTarget = {
  readonly redirectUri: string
  readonly redirectUriStated: boolean
  readonly responseMode: ResponseMode
  readonly state?: string
}

/**
 * What must be right before anything may be sent anywhere by way of the browser.
 * @throws {OAuthError} for a page: a browser never follows what nobody has registered (RFC 6749
 *   §4.1.2.1).
 */
export const findRedirectTarget = (raw: RawParameters, client: Client): RedirectTarget => {
  const state = onlyValue(raw, 'state')
  return {
    ...findRedirectUri(raw, client),
    responseMode: findResponseMode(raw, client) ?? defaultMode(client),
    ...(state === undefined ? {} : { state }),
  }
}

const findRedirectUri = (
  { redirect_uri: stated }: RawParameters,
  { redirectUris }: Client,
): Pick<RedirectTarget, 'redirectUri' | 'redirectUriStated'> => {
  const [redirectUri, second] = stated ?? redirectUris
  if (redirectUri === undefined) throw invalidRequest('The client has no redirect_uri')
  if (second !== undefined) {
    throw invalidRequest(stated ? 'redirect_uri must not be repeated' : 'redirect_uri is required')
  }
  if (stated && !redirectUris.some((each) => matchesRedirectUri(each, redirectUri))) {
    throw invalidRequest('The redirect_uri is not registered for the client')
  }
  return { redirectUri, redirectUriStated: stated !== undefined }
}

/** @returns undefined for one that the client may not use; `jwt` is that of the code flow. */
export const findResponseMode = (raw: RawParameters, client: Client): ResponseMode | undefined => {
  if (raw.response_mode === undefined) return defaultMode(client)
  const stated = onlyValue(raw, 'response_mode')
  return client.settings.responseModes.find((mode) => mode === stated)
}

const defaultMode = ({ settings: { responseModes: modes } }: Client): ResponseMode =>
  modes.find((mode) => mode === 'query') ?? modes[0] ?? 'query'

/**
 * Whether an error may go back before anybody has agreed to anything. A client that let itself in
 * could else use the service as an open redirector (RFC 9700 §4.11.2).
 */
export const maySendErrors = (client: Client): boolean => isVetted(client)
