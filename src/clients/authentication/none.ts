import { type ReadCredentials, single } from './credentials.ts'

/** A public client only names itself (RFC 6749 §3.2.1); a secret or header is another method. */
export const readNone: ReadCredentials = (request) => {
  const clientId = single(request, 'client_id')
  if (clientId === undefined || request.authorization !== undefined) return undefined
  return request.parameters.client_secret === undefined ? { clientId } : undefined
}
