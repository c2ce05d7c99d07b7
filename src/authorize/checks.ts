import { readAuthorizationDetails } from '../clients/authorization-details.ts'
import { type Client, isConfidential } from '../clients/client.ts'
import type { DetailsTypes } from '../clients/details-type-directory.ts'
import { readAudience, readScope } from '../grants/token-request.ts'
import { invalidRequest, OAuthError } from '../oauth/error.ts'
import { isOwnScope } from '../oauth/own-scope.ts'
import { isCodeChallenge } from '../oauth/pkce.ts'
import type { Scope } from '../oauth/scope.ts'
import type { IdTokenHints } from '../tokens/id-token-hint.ts'
import { type AuthorizationRequest, type Prompt, prompts } from './authorization-request.ts'
import { readClaims } from './claims-parameter.ts'
import type { Parameters } from './parameters.ts'

/** What the checks need to know beyond the request and its client. */
export type CheckParts = {
  readonly defaultAudience: string
  readonly detailsTypes: Pick<DetailsTypes, 'find'>
  readonly idTokenHints: IdTokenHints
}

type Context = { readonly client: Client; readonly parameters: Parameters } & CheckParts
type Found = Partial<AuthorizationRequest>
/** @throws {OAuthError} which goes back to the client. */
type Check = (context: Context) => Found | Promise<Found>

const checkResponseType: Check = ({ client, parameters: { single } }) => {
  if (single.response_type === undefined) throw invalidRequest('response_type is required')
  if (single.response_type !== 'code') {
    throw new OAuthError('unsupported_response_type', 'The response_type must be code')
  }
  if (!client.grantTypes.includes('authorization_code')) {
    throw new OAuthError('unauthorized_client', 'The client may not use the code flow')
  }
  return {}
}

// RFC 7636 §4.3: without a method it would be plain, which anybody who sees the request can answer.
const checkPkce: Check = ({ client, parameters: { single } }) => {
  const { code_challenge: codeChallenge, code_challenge_method: method } = single
  if (codeChallenge === undefined) {
    if (method !== undefined) throw invalidRequest('code_challenge is required')
    if (client.settings.requirePkce || !isConfidential(client)) {
      throw invalidRequest('code_challenge is required')
    }
    return {}
  }
  if (method !== 'S256') throw invalidRequest('code_challenge_method must be S256')
  if (!isCodeChallenge(codeChallenge)) {
    throw invalidRequest('code_challenge must be a SHA-256 in base64url')
  }
  return { codeChallenge }
}

const checkScope: Check = ({ client, parameters: { single } }) => {
  const scope = readScope(single.scope, client) ?? defaultScope(client)
  return {
    scope: scope.filter((token) => token !== 'offline_access' || mayBeOffline(client, single)),
  }
}

// Who has not been asked for it is not kept signed in without knowing (OpenID Connect Core §11).
const mayBeOffline = ({ grantTypes }: Client, { prompt }: Parameters['single']): boolean =>
  grantTypes.includes('refresh_token') && prompt?.split(' ').includes('consent') === true

// What opens the service's own API, and what outlives a session, must be asked for by name.
const defaultScope = ({ scope }: Client): Scope =>
  scope.filter((token) => !isOwnScope(token) && token !== 'offline_access')

const checkResource: Check = ({ client, parameters, defaultAudience }) => {
  const audience = readAudience(parameters.repeatable.resource, client, defaultAudience)
  return audience === undefined ? {} : { audience }
}

const checkDetails: Check = ({ client, parameters: { single }, detailsTypes }) => {
  const { authorization_details: text } = single
  if (text === undefined) return {}
  return { authorizationDetails: readAuthorizationDetails(text, client, detailsTypes) }
}

const checkPrompt: Check = ({ parameters: { single } }) => {
  const asked = [...new Set(single.prompt?.split(' ').filter((value) => value !== ''))]
  if (!asked.every(isPrompt)) throw invalidRequest('prompt has an unknown value')
  if (asked.includes('none') && asked.length > 1) {
    throw invalidRequest('prompt must not hold none beside others')
  }
  return { prompt: asked }
}

const isPrompt = (value: string): value is Prompt => prompts.some((prompt) => prompt === value)

const checkMaxAge: Check = ({ client, parameters: { single } }) => {
  const text = single.max_age ?? client.settings.defaultMaxAge?.toString()
  if (text === undefined) return {}
  if (!/^\d{1,9}$/.test(text)) throw invalidRequest('max_age must be a number of seconds')
  return { maxAge: Number(text) }
}

const checkClaims: Check = ({ parameters: { single } }) =>
  single.claims === undefined ? {} : { claims: readClaims(single.claims) }

// However long ago it expired; but one of another client proves nothing about this one's users.
const checkHint: Check = async ({ client, parameters: { single }, idTokenHints }) => {
  if (single.id_token_hint === undefined) return {}
  const hint = await idTokenHints.read(single.id_token_hint)
  if (hint?.clientId !== client.id) throw invalidRequest('The id_token_hint is not valid')
  return { hintedSubject: hint.userId }
}

const checkDpopKey: Check = ({ parameters: { single } }) => {
  const { dpop_jkt: dpopJkt } = single
  if (dpopJkt === undefined) return {}
  if (!isCodeChallenge(dpopJkt)) throw invalidRequest('dpop_jkt must be a SHA-256 in base64url')
  return { dpopJkt }
}

const checkRest: Check = ({ client, parameters: { single } }) => ({
  acrValues: wordsOf(single.acr_values) ?? client.settings.defaultAcrValues,
  uiLocales: wordsOf(single.ui_locales) ?? [],
  ...(single.nonce === undefined ? {} : { nonce: single.nonce }),
  ...(single.login_hint === undefined ? {} : { loginHint: single.login_hint }),
})

const wordsOf = (text: string | undefined): string[] | undefined =>
  text?.split(' ').filter((word) => word !== '')

/** Every check of a request whose client and redirect URI are right, in the order they are made. */
const checks: readonly Check[] = [
  checkResponseType,
  checkPkce,
  checkScope,
  checkResource,
  checkDetails,
  checkPrompt,
  checkMaxAge,
  checkClaims,
  checkHint,
  checkDpopKey,
  checkRest,
]

type Checked = Omit<
  AuthorizationRequest,
  'clientId' | 'redirectUri' | 'redirectUriStated' | 'responseMode' | 'state'
>

/** @throws {OAuthError} of the first check that fails. */
export const runChecks = async (context: Context): Promise<Checked> => {
  let found: Found = {}
  for (const check of checks) found = { ...found, ...(await check(context)) }
  return found as Checked
}
