/** What a request says about the client that sends it. */
export type ClientRequest = {
  /** The Authorization header, untouched. */
  readonly authorization: string | undefined
  /** Parameters of the form; empty ones are absent. */
  readonly parameters: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** Credentials of one method, not yet verified. */
export type ClientCredentials = { readonly clientId: string; readonly secret?: string }

/**
 * Finds the credentials of one method in a request.
 * @returns undefined when the request does not use the method.
 * @throws {OAuthError} when it uses the method wrongly.
 */
export type ReadCredentials = (request: ClientRequest) => ClientCredentials | undefined

/** A parameter that may be sent once. */
export const single = (
  { parameters }: Pick<ClientRequest, 'parameters'>,
  name: string,
): string | undefined => {
  const value = parameters[name]
  return typeof value === 'string' ? value : undefined
}
