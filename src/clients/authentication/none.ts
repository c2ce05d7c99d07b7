import { type ReadCredentials, single } from './credentials.ts'

/**
 * A client that only names itself (RFC 6749 §3.2.1): a public one, or one that has shown a
 * certificate (RFC 8705 §2). A secret, an assertion or a header is another method.
 */
export const readNone: ReadCredentials = (request) => {
  const { authorization, certificate, parameters } = request
  const clientId = single(request, 'client_id')
  if (clientId === undefined || authorization !== undefined) return undefined
  const { client_secret: secret, client_assertion: assertion } = parameters
  if (secret !== undefined || assertion !== undefined) return undefined
  if (parameters.client_assertion_type !== undefined) return undefined
  return { clientId, ...(certificate === undefined ? {} : { certificate }) }
}
