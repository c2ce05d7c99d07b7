import type { GrantType } from '../oauth/grant-type.ts'
import type { AuthenticationMethod, Client } from './client.ts'
import { createClientId } from './client-id.ts'
import { defaultsOf, withStated } from './client-profiles.ts'
import { type ClientSettings, defaultClientSettings } from './client-settings.ts'
import type { Candidate, RegistrationFault } from './registration-rule.ts'
import { findFaults } from './registration-rules.ts'

/** What an operator says of a new client; the rest takes its default. */
export type ClientRegistration = {
  /** Default: a random one. */
  readonly id?: string
  readonly name: string
  /** Default client_secret_basic, or what the profile says. */
  readonly authenticationMethod?: string
  /** Default client_credentials, and nothing for a client that only serves audiences. */
  readonly grantTypes?: readonly string[]
  readonly scope?: readonly string[]
  readonly audience?: readonly string[]
  readonly resourceServer?: readonly string[]
  readonly redirectUris?: readonly string[]
  readonly corsOrigins?: readonly string[]
  /** 0 to 600; default: the service's. */
  readonly refreshGraceSeconds?: number
  readonly refreshRetryElsewhere?: Client['refreshRetryElsewhere']
  readonly refreshTokenRotation?: Client['refreshTokenRotation']
  readonly settings?: Partial<ClientSettings>
}

/** A client that passed every rule. */
export type RegisteredClient = Candidate & {
  readonly authenticationMethod: AuthenticationMethod
  readonly grantTypes: readonly GrantType[]
}

const distinct = (values: readonly string[] = []): string[] => [...new Set(values)]

const withDefaults = (registration: ClientRegistration): Candidate => {
  const { settings: stated = {}, authenticationMethod } = registration
  const profile = defaultsOf(stated.profile ?? 'default', authenticationMethod === 'none')
  const method = authenticationMethod ?? profile.authenticationMethod ?? 'client_secret_basic'
  const resourceServer = distinct(registration.resourceServer)
  const isMachine = method !== 'none' && resourceServer.length === 0
  const granted = distinct(registration.grantTypes ?? (isMachine ? ['client_credentials'] : []))
  return {
    id: registration.id ?? createClientId(granted.includes('client_credentials') ? 'svc' : 'app'),
    name: registration.name,
    authenticationMethod: method,
    grantTypes: granted,
    scope: distinct(registration.scope),
    audience: distinct(registration.audience),
    resourceServer,
    redirectUris: distinct(registration.redirectUris),
    corsOrigins: distinct(registration.corsOrigins),
    refreshGraceSeconds: registration.refreshGraceSeconds ?? null,
    refreshRetryElsewhere: registration.refreshRetryElsewhere ?? 'allow',
    refreshTokenRotation:
      registration.refreshTokenRotation ?? profile.refreshTokenRotation ?? 'rotate',
    settings: withStated(defaultClientSettings, stated, method === 'none'),
  }
}

/** Fills in the defaults and checks all rules at once. */
export const register = (
  registration: ClientRegistration,
): { readonly client: RegisteredClient } | { readonly faults: RegistrationFault[] } => {
  const client = withDefaults(registration)
  const faults = findFaults(client)
  return faults.length === 0 ? { client: client as RegisteredClient } : { faults }
}
