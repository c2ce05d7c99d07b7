import type { RecordedEvent } from '../audit/event.ts'
import type { GrantType } from '../oauth/grant-type.ts'
import type { Client } from './client.ts'
import type { RegisteredClient } from './client-registration.ts'
import type { ClientSettings } from './client-settings.ts'
import { findFaults, type RegistrationFault } from './registration-rules.ts'

/** What may change of a client; its id, and how it proves itself, stay. */
export type ClientChange = {
  readonly name?: string
  readonly grantTypes?: readonly string[]
  readonly scope?: readonly string[]
  readonly audience?: readonly string[]
  readonly resourceServer?: readonly string[]
  readonly redirectUris?: readonly string[]
  readonly corsOrigins?: readonly string[]
  /** null: the service's default. */
  readonly refreshGraceSeconds?: number | null
  readonly refreshRetryElsewhere?: Client['refreshRetryElsewhere']
  /** Those that are stated; the others stay. */
  readonly settings?: Partial<ClientSettings>
}

/** The client as it would be, checked by every rule of a registration. */
export const applyChange = (
  client: Client,
  change: ClientChange,
): { readonly client: Client } | { readonly faults: RegistrationFault[] } => {
  const settings = { ...client.settings, ...change.settings }
  const changed = { ...client, ...withoutRepetition(change), settings }
  const faults = findFaults(changed)
  return faults.length > 0
    ? { faults }
    : { client: { ...changed, grantTypes: changed.grantTypes as GrantType[] } }
}

/** Names of what differs, as columns and the wire call it, sorted. */
export const changedMembers = (before: Client, after: Client): string[] =>
  Object.entries(members)
    .filter(([member]) => !isSame(before[member as Member], after[member as Member]))
    .map(([, name]) => name)
    .sort()

/** All that was registered of a client but its id, by the names of the wire. */
export const registeredMembers = (client: RegisteredClient): RecordedEvent['details'] =>
  Object.fromEntries(
    Object.entries({ ...fixedMembers, ...plainMembers }).map(([member, name]) => [
      name,
      client[member as keyof typeof plainMembers | keyof typeof fixedMembers],
    ]),
  )

const fixedMembers = {
  authenticationMethod: 'token_endpoint_auth_method',
  refreshTokenRotation: 'refresh_token_rotation',
} as const

type Member = keyof typeof members
const plainMembers = {
  name: 'client_name',
  grantTypes: 'grant_types',
  scope: 'scope',
  audience: 'audience',
  resourceServer: 'resource_server',
  redirectUris: 'redirect_uris',
  corsOrigins: 'cors_origins',
  refreshGraceSeconds: 'refresh_grace_seconds',
  refreshRetryElsewhere: 'refresh_retry_elsewhere',
} as const satisfies Record<Exclude<keyof ClientChange, 'settings'>, string>
const members = { ...plainMembers, settings: 'settings' } as const

const isSame = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other)

const withoutRepetition = (change: ClientChange): ClientChange =>
  Object.fromEntries(
    Object.entries(change).map(([member, value]) => [
      member,
      Array.isArray(value) ? [...new Set(value)] : value,
    ]),
  )
