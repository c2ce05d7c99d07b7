import { type Static, Type } from 'typebox'
import { supportedAcrs } from '../../oauth/acr.ts'
import { signingAlgorithms } from '../../oauth/algorithm.ts'
import { personClaims } from '../../oauth/standard-claims.ts'
import { languages } from '../../views/messages.ts'

const url = Type.Optional(Type.String({ format: 'uri' }))
const words = Type.Optional(Type.Array(Type.String()))
const flag = Type.Optional(Type.Boolean())

/** Members that OpenID Connect adds to the metadata (Discovery §3; the specifications of logout). */
export const openidMembers = {
  userinfo_endpoint: url,
  end_session_endpoint: url,
  subject_types_supported: words,
  id_token_signing_alg_values_supported: words,
  userinfo_signing_alg_values_supported: words,
  claim_types_supported: words,
  claims_supported: words,
  claims_parameter_supported: flag,
  acr_values_supported: words,
  ui_locales_supported: words,
  backchannel_logout_supported: flag,
  backchannel_logout_session_supported: flag,
}

const openidMetadata = Type.Object(openidMembers)
type OpenidMetadata = Static<typeof openidMetadata>

/** What an ID token says of the sign-in itself (Core §2). */
const signInClaims = ['sub', 'auth_time', 'acr', 'amr', 'sid']

/** @param at gives the address of a path @param has whether it is registered */
export const describeOpenid = (
  at: (path: string) => string,
  has: (method: 'GET' | 'POST', path: string) => boolean,
): OpenidMetadata => ({
  ...(has('GET', '/userinfo') && {
    userinfo_endpoint: at('/userinfo'),
    subject_types_supported: ['public', 'pairwise'],
    id_token_signing_alg_values_supported: [...signingAlgorithms],
    userinfo_signing_alg_values_supported: [...signingAlgorithms],
    claim_types_supported: ['normal'],
    claims_supported: [...signInClaims, ...personClaims],
    claims_parameter_supported: true,
    acr_values_supported: [...supportedAcrs],
  }),
  ...(has('GET', '/logout') && {
    end_session_endpoint: at('/logout'),
    ui_locales_supported: [...languages],
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
  }),
})
