import { invalidRequest } from '../../oauth/error.ts'
import { type ReadCredentials, single } from './credentials.ts'

/** Id and secret among the parameters of the form (RFC 6749 §2.3.1). */
export const readClientSecretPost: ReadCredentials = (request) => {
  const secret = single(request, 'client_secret')
  if (secret === undefined) return undefined
  const clientId = single(request, 'client_id')
  if (clientId === undefined && request.authorization === undefined) {
    throw invalidRequest('client_secret needs client_id beside it')
  }
  return { clientId: clientId ?? '', secret }
}
