import { invalidRequest } from '../../oauth/error.ts'
import { readClientJwt } from '../client-jwt.ts'
import { invalidClient } from '../invalid-client.ts'
import { type ReadCredentials, single } from './credentials.ts'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** An assertion that the client has signed (RFC 7521 §4.2, RFC 7523 §2.2). */
export const readClientAssertion: ReadCredentials = (request) => {
  const text = single(request, 'client_assertion')
  const type = single(request, 'client_assertion_type')
  if (text === undefined && type === undefined) return undefined
  if (text === undefined || type !== assertionType) {
    throw invalidRequest(`client_assertion needs client_assertion_type ${assertionType}`)
  }
  const assertion = readClientJwt(text, longestAssertion)
  if (assertion === undefined) throw invalidClient('the assertion is not a JWT', false)
  const { sub } = assertion.claims
  const clientId = single(request, 'client_id') ?? sub
  // RFC 7521 §4.2: both name the same client.
  if (typeof clientId !== 'string' || clientId !== sub) {
    throw invalidClient('the assertion is not about the client of the request', false)
  }
  return { clientId, assertion }
}

const longestAssertion = 8192
