import { isDeepStrictEqual } from 'node:util'
import type { RecordedEvent } from '../audit/event.ts'
import type { GrantType } from '../oauth/grant-type.ts'
import { type Client, isConfidential } from './client.ts'
import { defaultsOf, withStated } from './client-profiles.ts'
import type { RegisteredClient } from './client-registration.ts'
import { type ClientSettings, statedSettings } from './client-settings.ts'
import type { RegistrationFault } from './registration-rule.ts'
import { findFaults } from './registration-rules.ts'
import { settingName } from './setting-name.ts'

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
  readonly refreshTokenRotation?: Client['refreshTokenRotation']
  /** Those that are stated; the others stay. */
  readonly settings?: Partial<ClientSettings>
}

/** The client as it would be, checked by every rule of a registration. */
export const applyChange = (
  client: Client,
  change: ClientChange,
): { readonly client: Client } | { readonly faults: RegistrationFault[] } => {
  const { settings: stated = {}, ...rest } = change
  const isPublic = !isConfidential(client)
  const settings = withStated(client.settings, stated, isPublic)
  const isOther = settings.profile !== client.settings.profile
  const { refreshTokenRotation } = defaultsOf(settings.profile, isPublic)
  const changed = {
    ...client,
    ...(isOther && refreshTokenRotation !== undefined ? { refreshTokenRotation } : {}),
    ...withoutRepetition(rest),
    settings,
  }
  const faults = findFaults(changed)
  return faults.length > 0
    ? { faults }
    : { client: { ...changed, grantTypes: changed.grantTypes as GrantType[] } }
}

/** Names of what differs, as columns and the wire call it, sorted. */
export const changedMembers = (before: Client, after: Client): string[] =>
  [
    ...namesOfDifferent(before, after, Object.entries(changeableMembers)),
    ...namesOfDifferent(before.settings, after.settings, settingNames(after.settings)),
  ].sort()

/** All that was registered of a client but its id, by the names of the wire. */
export const registeredMembers = (client: RegisteredClient): RecordedEvent['details'] => ({
  ...Object.fromEntries(
    Object.entries(members).map(([member, name]) => [name, client[member as keyof typeof members]]),
  ),
  ...Object.fromEntries(
    Object.entries(statedSettings(client.settings)).map(([member, value]) => [
      settingName(member as keyof ClientSettings),
      toDetail(value),
    ]),
  ),
})

const changeableMembers = {
  name: 'client_name',
  grantTypes: 'grant_types',
  scope: 'scope',
  audience: 'audience',
  resourceServer: 'resource_server',
  redirectUris: 'redirect_uris',
  corsOrigins: 'cors_origins',
  refreshGraceSeconds: 'refresh_grace_seconds',
  refreshRetryElsewhere: 'refresh_retry_elsewhere',
  refreshTokenRotation: 'refresh_token_rotation',
} as const satisfies Record<Exclude<keyof ClientChange, 'settings'>, string>

const members = {
  authenticationMethod: 'token_endpoint_auth_method',
  ...changeableMembers,
} as const

const settingNames = (settings: ClientSettings): (readonly [string, string])[] =>
  Object.keys(settings).map((member) => [member, settingName(member as keyof ClientSettings)])

const namesOfDifferent = <T extends object>(
  before: T,
  after: T,
  names: readonly (readonly [member: string, name: string])[],
): string[] =>
  names
    .filter(([member]) => !isSame(before[member as keyof T], after[member as keyof T]))
    .map(([, name]) => name)

/** Keys and names of certificates are public, and told as text. */
const toDetail = (value: ClientSettings[keyof ClientSettings]) =>
  isList(value) || typeof value !== 'object' ? value : JSON.stringify(value)

const isList = (value: unknown): value is readonly string[] => Array.isArray(value)

// The database gives back the members of a key or of a name in an order of its own.
const isSame = (one: unknown, other: unknown): boolean => isDeepStrictEqual(one, other)

const withoutRepetition = (change: Omit<ClientChange, 'settings'>): ClientChange =>
  Object.fromEntries(
    Object.entries(change).map(([member, value]) => [
      member,
      Array.isArray(value) ? [...new Set(value)] : value,
    ]),
  )
