import { basic } from '../endpoints/oauth/requests.ts'
import type { ServerProcess } from '../support/server-process.ts'

/** An answer of a server in a process of its own. */
export type WireAnswer = {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
  /** How long it took. */
  readonly ms: number
}

type Server = Pick<ServerProcess, 'url'>

const longestWaitMs = 20_000

const send = async (
  { url }: Server,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<WireAnswer> => {
  const started = performance.now()
  const response = await fetch(url + path, {
    method: 'POST',
    headers,
    body,
    signal: AbortSignal.timeout(longestWaitMs),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : JSON.parse(text),
    ms: performance.now() - started,
  }
}

/** Posts JSON to the first-party API. */
export const post = (server: Server, path: string, body: object): Promise<WireAnswer> =>
  send(server, path, { 'content-type': 'application/json' }, JSON.stringify(body))

/** Posts a form to an OAuth endpoint. */
export const postForm = (
  server: Server,
  path: string,
  form: Readonly<Record<string, string>>,
  client?: { readonly id: string; readonly secret: string },
): Promise<WireAnswer> =>
  send(
    server,
    path,
    {
      'content-type': 'application/x-www-form-urlencoded',
      ...(client === undefined ? {} : basic(client.id, client.secret)),
    },
    new URLSearchParams(form).toString(),
  )

export const refresh = (server: Server, refreshToken: unknown): Promise<WireAnswer> =>
  post(server, '/refresh', { refresh_token: refreshToken })

/** Ends the family of a refresh token of the first-party client (RFC 7009). */
export const revoke = (server: Server, token: string): Promise<WireAnswer> =>
  postForm(server, '/revoke', { token, client_id: 'first-party' })

/** Whether our own endpoints accept the access token. */
export const isAccepted = async (server: Server, accessToken: string): Promise<boolean> =>
  (await post(server, '/auth/verify', { token: accessToken })).body.active === true

/** The tokens of a successful answer. @throws {Error} with the body of any other */
export const tokensOf = ({ status, body }: WireAnswer): { access: string; refresh: string } => {
  if (status !== 200 && status !== 201) throw new Error(JSON.stringify(body))
  return { access: `${body.access_token}`, refresh: `${body.refresh_token}` }
}

export type WirePerson = {
  readonly email: string
  readonly password: string
  readonly access: string
  readonly refresh: string
}

/** Registers somebody new. */
export const register = async (server: Server): Promise<WirePerson> => {
  const email = `${crypto.randomUUID()}@example.com`
  const password = `correct horse ${crypto.randomUUID()}`
  return { email, password, ...tokensOf(await post(server, '/auth/register', { email, password })) }
}

/** @returns the `share` quantile, such as 0.99, of values that need no order */
export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN
