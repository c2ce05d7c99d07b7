import { invalidRequest } from '../../oauth/error.ts'
import { decodeUtf8 } from '../../oauth/text.ts'
import { invalidClient } from '../invalid-client.ts'
import { type ClientCredentials, type ReadCredentials, single } from './credentials.ts'

/**
 * Id and secret in the Authorization header, each form-urlencoded before they were joined
 * (RFC 6749 §2.3.1), so that an id may hold a colon. Another scheme is a failed authentication.
 */
export const readClientSecretBasic: ReadCredentials = (request) => {
  if (request.authorization === undefined) return undefined
  const credentials = decodeBasic(request.authorization)
  if (credentials === undefined) {
    throw invalidClient('the Authorization header is not well-formed Basic', true)
  }
  const clientId = single(request, 'client_id')
  if (clientId !== undefined && clientId !== credentials.clientId) {
    throw invalidRequest('client_id is not the client of the Authorization header')
  }
  return credentials
}

const decodeBasic = (header: string): ClientCredentials | undefined => {
  const encoded = /^basic +([a-z0-9+/]+={0,2})$/i.exec(header)?.[1]
  if (encoded === undefined) return undefined
  const pair = decodeUtf8(Buffer.from(encoded, 'base64'))
  const colon = pair?.indexOf(':') ?? -1
  if (pair === undefined || colon < 0) return undefined
  const clientId = formDecode(pair.slice(0, colon))
  const secret = formDecode(pair.slice(colon + 1))
  return clientId === undefined || secret === undefined ? undefined : { clientId, secret }
}

const formDecode = (value: string): string | undefined => {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
