import { type TProperties, Type } from 'typebox'
import { certificateNames, clientProfiles } from '../clients/client-settings.ts'

const words = (description: string) =>
  Type.Array(Type.String({ maxLength: 2000 }), { maxItems: 100, description })

/** null states the default. */
const text = (description: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 2000, description })
const flag = (description: string) =>
  Type.Unsafe<boolean | null>({ type: ['boolean', 'null'], description })

const algorithm = (what: string) => text(`Algorithm of ${what}`)

const certificateMembers = Object.fromEntries(
  certificateNames.map((name) => [
    `tls_client_auth_${name}`,
    text(`Names the client's certificate by its ${name} (RFC 8705 §2.1.2)`),
  ]),
)

const members = {
  profile: text(`One of ${clientProfiles.join(', ')}: sets what belongs together`),
  response_modes: words('Ways back to the client that it may ask for'),
  require_pkce: flag('Whether authorization requests need a challenge (RFC 7636)'),
  require_pushed_authorization_requests: flag('RFC 9126 §6'),
  require_signed_request_object: flag('RFC 9101 §10.5'),
  request_object_signing_alg: algorithm('its request objects'),
  default_max_age: Type.Unsafe<number | null>({
    type: ['integer', 'null'],
    description: 'Seconds; as max_age where a request names none',
  }),
  require_auth_time: flag('Whether ID tokens always say when the person signed in'),
  default_acr_values: words('As acr_values where a request names none'),
  authorization_details_types: words('Types of RFC 9396 that it may ask for'),
  require_pushed_authorization_details: flag('... only by PAR or a request object'),
  token_exchange: text('delegate: its tokens say that it acts; impersonate: they need not'),
  token_exchange_clients: words('Whose tokens it may exchange; empty: any meant for it'),
  consent: text('remember: asked once; always: with each request; skip: never'),
  jwks: Type.Unsafe<object | null>({
    type: ['object', 'null'],
    additionalProperties: true,
    description: 'Its public keys (RFC 7517 §5)',
  }),
  jwks_uri: text('Where its public keys are'),
  token_endpoint_auth_signing_alg: algorithm('the assertions that it authenticates with'),
  ...certificateMembers,
  assertion_audience: text("issuer; legacy: the token endpoint's URL too"),
  dpop_bound_access_tokens: flag('Its tokens are bound to a key (RFC 9449 §5.2)'),
  tls_client_certificate_bound_access_tokens: flag('... to its certificate (RFC 8705 §3.4)'),
  id_token_signed_response_alg: algorithm('its ID tokens'),
  userinfo_signed_response_alg: algorithm('userinfo; without, that is plain JSON'),
  authorization_signed_response_alg: algorithm('authorization responses that are JWTs'),
  introspection_signed_response_alg: algorithm('introspection; without, that is plain JSON'),
  subject_type: text('public; pairwise: it gets a subject of its own for each person'),
  sector_identifier_uri: text('Names the clients that share pairwise subjects'),
  post_logout_redirect_uris: words('Where a sign-out may return to'),
  backchannel_logout_uri: text('Is told when a person has signed out'),
  backchannel_logout_session_required: flag('... with the session'),
  client_uri: text('Its home page'),
  logo_uri: text('Its logo'),
  policy_uri: text('How it uses data'),
  tos_uri: text('Its terms'),
  contacts: words('Who is responsible for it'),
} satisfies TProperties

type Optional<T extends TProperties> = { [K in keyof T]: ReturnType<typeof Type.Optional<T[K]>> }

/**
 * The settings of a client as members of its document (RFC 7591 §2). What a body does not state
 * stays as it is; an answer has those that differ from their defaults.
 */
export const settingMembers = Object.fromEntries(
  Object.entries(members).map(([name, type]) => [name, Type.Optional(type)]),
) as Optional<typeof members>
