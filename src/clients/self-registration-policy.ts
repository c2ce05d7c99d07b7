import type { Scope } from '../oauth/scope.ts'
import type { Client, RegisteredBy } from './client.ts'
import { type ClientRegistration, type RegisteredClient, register } from './client-registration.ts'
import type { ClientSettings } from './client-settings.ts'
import type { RegistrationFault } from './registration-rule.ts'

/** What a client says of itself (RFC 7591 §2); what it does not say is absent. */
export type ClientMetadata = {
  readonly name?: string
  readonly authenticationMethod?: string
  readonly grantTypes?: readonly string[]
  readonly responseTypes?: readonly string[]
  readonly scope?: Scope
  readonly redirectUris?: readonly string[]
  readonly settings: Partial<ClientSettings>
}

/** What clients that register themselves may be. */
export type SelfRegistrationPolicy = {
  readonly scope: Scope
  /** Of client authentication, that they may choose. */
  readonly authenticationMethods: readonly string[]
}

const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code'

// Without anybody who answers for it a client gets only what a person gives it on our own page:
// neither tokens for itself nor a code that a person could be talked into typing.
const grantTypesOf: Readonly<Record<RegisteredBy, readonly string[]>> = {
  open: ['authorization_code', 'refresh_token'],
  token: ['authorization_code', 'refresh_token', 'client_credentials', deviceCode],
  operator: [],
}

type Result =
  | { readonly client: RegisteredClient }
  | { readonly faults: readonly RegistrationFault[] }

/** The client that metadata describe, within what it may be. */
export const registerItself = (
  id: string,
  metadata: ClientMetadata,
  registeredBy: RegisteredBy,
  policy: SelfRegistrationPolicy,
): Result =>
  within(
    faultsBeyond(metadata, grantTypesOf[registeredBy], policy),
    // ASVS 5.0 10.7.1: nobody has made sure who it is.
    register(withConsent(toRegistration(id, metadata, policy.scope))),
  )

/**
 * The client as metadata replace it as a whole (RFC 7592 §2.2): what they leave out has its default.
 * What an operator decided of it stays.
 */
export const replaceItself = (
  present: Client,
  metadata: ClientMetadata,
  policy: SelfRegistrationPolicy,
): Result => {
  const permitted = [...new Set([...policy.scope, ...present.scope])]
  const stated = toRegistration(present.id, metadata, permitted)
  const grants = [...grantTypesOf[present.registeredBy], ...present.grantTypes]
  return within(
    faultsBeyond(metadata, grants, policy),
    register({
      ...decidedByOperator(present),
      ...stated,
      settings: { ...settingsOfOperator(present.settings), ...stated.settings },
    }),
  )
}

const decidedByOperator = (client: Client) => ({
  audience: client.audience,
  resourceServer: client.resourceServer,
  corsOrigins: client.corsOrigins,
  refreshRetryElsewhere: client.refreshRetryElsewhere,
  refreshTokenRotation: client.refreshTokenRotation,
  ...(client.refreshGraceSeconds === null
    ? {}
    : { refreshGraceSeconds: client.refreshGraceSeconds }),
})

const settingsOfOperator = (settings: ClientSettings): Partial<ClientSettings> => ({
  ...(settings.profile === 'default' ? {} : { profile: settings.profile }),
  responseModes: settings.responseModes,
  requirePkce: settings.requirePkce,
  assertionAudience: settings.assertionAudience,
  consent: settings.consent,
})

const toRegistration = (
  id: string,
  metadata: ClientMetadata,
  permitted: Scope,
): ClientRegistration => ({
  id,
  name: metadata.name ?? id,
  // RFC 7591 §2.
  authenticationMethod: metadata.authenticationMethod ?? 'client_secret_basic',
  grantTypes: metadata.grantTypes ?? ['authorization_code'],
  // What a client may not have is left out, and the answer tells what it got (RFC 7591 §3.2.1).
  scope: (metadata.scope ?? permitted).filter((token) => permitted.includes(token)),
  redirectUris: metadata.redirectUris ?? [],
  settings: metadata.settings,
})

const withConsent = ({ settings, ...rest }: ClientRegistration): ClientRegistration => ({
  ...rest,
  settings: { ...settings, consent: 'always' },
})

const within = (beyond: readonly RegistrationFault[], result: Result): Result => {
  const faults = [...beyond, ...('faults' in result ? result.faults : [])]
  return faults.length > 0 ? { faults: firstOfEach(faults) } : result
}

const faultsBeyond = (
  { grantTypes = ['authorization_code'], responseTypes, authenticationMethod }: ClientMetadata,
  permittedGrants: readonly string[],
  policy: SelfRegistrationPolicy,
): RegistrationFault[] => {
  const wanted = grantTypes.includes('authorization_code') ? ['code'] : []
  const rules = [
    [
      'grant_types',
      `must be one of ${[...new Set(permittedGrants)].join(', ')}`,
      grantTypes.every((type) => permittedGrants.includes(type)),
    ],
    // RFC 7591 §2.1.
    [
      'response_types',
      wanted.length > 0 ? 'must be code' : 'must be empty without authorization_code',
      responseTypes === undefined || [...new Set(responseTypes)].join() === wanted.join(),
    ],
    [
      'token_endpoint_auth_method',
      `must be one of ${policy.authenticationMethods.join(', ')}`,
      authenticationMethod === undefined ||
        policy.authenticationMethods.includes(authenticationMethod),
    ],
  ] as const
  return rules.flatMap(([field, message, isMet]) => (isMet ? [] : [{ field, message }]))
}

const firstOfEach = (faults: readonly RegistrationFault[]): RegistrationFault[] =>
  [...new Map(faults.toReversed().map((fault) => [fault.field, fault])).values()].reverse()
