import type { ClientCertificate } from '../certificate.ts'
import type { Client } from '../client.ts'
import type { ClientJwt } from '../client-jwt.ts'

/** What a request says about the client that sends it. */
export type ClientRequest = {
  /** The Authorization header, untouched. */
  readonly authorization: string | undefined
  /** Parameters of the form; empty ones are absent. */
  readonly parameters: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Of the TLS connection, as far as a trusted proxy tells of it. */
  readonly certificate?: ClientCertificate | undefined
}

/** Credentials of one method, not yet verified. */
export type ClientCredentials = {
  readonly clientId: string
  readonly secret?: string
  readonly assertion?: ClientJwt
  readonly certificate?: ClientCertificate
}

/**
 * Finds the credentials of one method in a request.
 * @returns undefined when the request does not use the method.
 * @throws {OAuthError} when it uses the method wrongly.
 */
export type ReadCredentials = (request: ClientRequest) => ClientCredentials | undefined

/** Why credentials prove nothing: a word for the log. */
export type Disproof = { readonly failure: string }

/** What remains to be done once everything else has passed: using up what is good once. */
export type Proof = { readonly use?: () => Promise<boolean> }

/**
 * Whether credentials prove a client. Both are of the same method.
 * @throws {Unavailable} when that cannot be known now.
 */
export type ProveClient = (
  client: Client,
  credentials: ClientCredentials,
) => Promise<Proof | Disproof>

/** A parameter that may be sent once. */
export const single = (
  { parameters }: Pick<ClientRequest, 'parameters'>,
  name: string,
): string | undefined => {
  const value = parameters[name]
  return typeof value === 'string' ? value : undefined
}
