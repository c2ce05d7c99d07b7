import type { GrantType } from '../oauth/grant-type.ts'
import type { Scope } from '../oauth/scope.ts'
import type { ClientSettings } from './client-settings.ts'

/** The built-in public client that the first-party API's tokens belong to. */
export const firstPartyClientId = 'first-party'

/** How a client proves itself at the token endpoint (RFC 8414 names; `none`: a public client). */
export const authenticationMethods = [
  'none',
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
] as const
export type AuthenticationMethod = (typeof authenticationMethods)[number]

/** Several stand side by side while a rotated secret's successor is being rolled out. */
export type ClientSecretDigest = {
  readonly digest: Buffer
  /** null: does not expire. The database's time. */
  readonly expiresAt: Date | null
  /** The secret itself, sealed: of clients that make signatures with it, and no others. */
  readonly sealed?: Buffer
}

/** Who let it in: an operator, a token that an operator gave away, or nobody (RFC 7591 §3). */
export type RegisteredBy = 'operator' | 'token' | 'open'

/** A registered application or machine (RFC 6749 §2). */
export type Client = {
  readonly id: string
  readonly name: string
  readonly authenticationMethod: AuthenticationMethod
  readonly grantTypes: readonly GrantType[]
  /** All that it may ever be granted. */
  readonly scope: Scope
  /** Audiences that it may ask tokens for; empty: the default audience only. */
  readonly audience: readonly string[]
  /** Audiences that it serves, and whose tokens it may introspect. */
  readonly resourceServer: readonly string[]
  readonly redirectUris: readonly string[]
  /** Origins of web pages whose scripts may read what the client is answered. */
  readonly corsOrigins: readonly string[]
  /** Window for retries of a refresh; null: the service's default, 0: strict. */
  readonly refreshGraceSeconds: number | null
  readonly refreshRetryElsewhere: 'allow' | 'refuse'
  readonly refreshTokenRotation: 'rotate' | 'static'
  readonly settings: ClientSettings
  readonly registeredBy: RegisteredBy
  readonly builtIn: boolean
  readonly disabledAt: Date | null
  readonly createdAt: Date
  readonly secretDigests: readonly ClientSecretDigest[]
}

/** A confidential client has a credential of its own (RFC 6749 §2.1). */
export const isConfidential = (client: Pick<Client, 'authenticationMethod'>): boolean =>
  client.authenticationMethod !== 'none'

/**
 * Whether an operator answers for who the client is. What registered itself is asked consent for
 * each time, and gets no silent errors: its redirect URI is anybody's (RFC 9700 §4.11.2).
 */
export const isVetted = (client: Pick<Client, 'registeredBy'>): boolean =>
  client.registeredBy === 'operator'

/** Whether it shares a secret with the service; others have keys, certificates, or nothing. */
export const hasSecret = (client: Pick<Client, 'authenticationMethod'>): boolean =>
  client.authenticationMethod.startsWith('client_secret_')
