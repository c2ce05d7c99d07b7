import type { Client } from '../clients/client.ts'
import { invalidRequest, OAuthError } from '../oauth/error.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import { type CheckParts, runChecks } from './checks.ts'
import { fromRequestObject, onlyValue, type RawParameters, toParameters } from './parameters.ts'
import { findRedirectTarget, findResponseMode, type RedirectTarget } from './redirect-target.ts'

/**
 * Verifies a signed request object of a client (RFC 9101 §6). @returns its members.
 * @throws {OAuthError} invalid_request_object
 */
export type ReadRequestObject = (
  jwt: string,
  client: Client,
) => Promise<Readonly<Record<string, unknown>>>

export type RequestReaderParts = CheckParts & {
  readonly readRequestObject: ReadRequestObject
}

/** A request that is not valid; `target` says where that may be told, undefined: nowhere. */
export class RefusedRequest extends Error {
  readonly reason: OAuthError
  readonly target: RedirectTarget | undefined

  constructor(reason: OAuthError, target?: RedirectTarget) {
    super(reason.message, { cause: reason })
    this.reason = reason
    this.target = target
  }
}

/**
 * Makes a request of what a client sent, by whichever way (RFC 6749 §4.1.1, RFC 9101, RFC 9126).
 * @throws {RefusedRequest}
 */
export const readRequest = async (
  parts: RequestReaderParts,
  sent: RawParameters,
  client: Client,
): Promise<AuthorizationRequest> => {
  const raw = await openRequestObject(parts, sent, client)
  const target = await refuseWith(undefined, () => findRedirectTarget(raw, client))
  return refuseWith(target, async () => {
    const parameters = toParameters(raw)
    if (findResponseMode(raw, client) === undefined) {
      throw invalidRequest('The client may not use this response_mode')
    }
    const checked = await runChecks({ ...parts, client, parameters })
    return { clientId: client.id, ...target, ...checked }
  })
}

/** What a request object says counts alone: what stands beside it may be anybody's (RFC 9101 §6.3). */
const openRequestObject = async (
  { readRequestObject }: RequestReaderParts,
  sent: RawParameters,
  client: Client,
): Promise<RawParameters> => {
  if (sent.request === undefined) {
    if (!client.settings.requireSignedRequestObject) return sent
    return refuseBeside(
      sent,
      client,
      invalidRequest('The client must send a signed request object'),
    )
  }
  try {
    const jwt = onlyValue(sent, 'request')
    if (jwt === undefined) throw invalidRequest('request must not be repeated')
    const members = fromRequestObject(await readRequestObject(jwt, client))
    if (members.request !== undefined || members.request_uri !== undefined) {
      throw new OAuthError('invalid_request_object', 'A request object must not name another one')
    }
    if (onlyValue(members, 'client_id') !== client.id) {
      throw new OAuthError('invalid_request_object', 'The request object is of another client')
    }
    return members
  } catch (error) {
    if (error instanceof OAuthError) return refuseBeside(sent, client, error)
    throw error
  }
}

/** Where the parameters outside name a redirect URI of the client, it is told there. */
const refuseBeside = (sent: RawParameters, client: Client, reason: OAuthError): never => {
  let target: RedirectTarget | undefined
  try {
    target = findRedirectTarget(sent, client)
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
  }
  throw new RefusedRequest(reason, target)
}

const refuseWith = async <T>(
  target: RedirectTarget | undefined,
  read: () => T | Promise<T>,
): Promise<T> => {
  try {
    return await read()
  } catch (error) {
    throw error instanceof OAuthError ? new RefusedRequest(error, target) : error
  }
}
