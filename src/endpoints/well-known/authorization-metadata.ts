import { type Static, Type } from 'typebox'
import { prompts } from '../../authorize/authorization-request.ts'
import { clientKeyAlgorithms } from '../../clients/client-jwt.ts'
import { signingAlgorithms } from '../../oauth/algorithm.ts'
import { responseModes } from '../../oauth/response-mode.ts'

const url = Type.Optional(Type.String({ format: 'uri' }))
const words = Type.Optional(Type.Array(Type.String()))
const flag = Type.Optional(Type.Boolean())

/** Members about authorization requests and their answers (RFC 8414 §2 and those that extend it). */
export const authorizationMembers = {
  authorization_endpoint: url,
  pushed_authorization_request_endpoint: url,
  require_pushed_authorization_requests: flag,
  response_types_supported: words,
  response_modes_supported: words,
  code_challenge_methods_supported: words,
  authorization_response_iss_parameter_supported: flag,
  authorization_signing_alg_values_supported: words,
  prompt_values_supported: words,
  request_parameter_supported: flag,
  request_object_signing_alg_values_supported: words,
  request_uri_parameter_supported: flag,
}

const authorizationMetadata = Type.Object(authorizationMembers)

/**
 * @param at gives the address of a path
 * @param has whether it is registered
 * @param requirePushed whether every request must be pushed (RFC 9126 §5)
 */
export const describeAuthorization = (
  at: (path: string) => string,
  has: (method: 'GET' | 'POST', path: string) => boolean,
  requirePushed: boolean,
): Static<typeof authorizationMetadata> => ({
  ...(has('GET', '/authorize') && {
    authorization_endpoint: at('/authorize'),
    response_types_supported: ['code'],
    response_modes_supported: [...responseModes],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    authorization_signing_alg_values_supported: [...signingAlgorithms],
    prompt_values_supported: [...prompts],
    request_parameter_supported: true,
    request_object_signing_alg_values_supported: [...clientKeyAlgorithms],
    // Those of others; what was pushed is found by RFC 9126.
    request_uri_parameter_supported: false,
  }),
  ...(has('POST', '/par') && {
    pushed_authorization_request_endpoint: at('/par'),
    require_pushed_authorization_requests: requirePushed,
  }),
})
