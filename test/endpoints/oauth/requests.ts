import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { ClientRegistration } from '../../../src/clients/client-registration.ts'
import type { Deps } from '../../../src/deps.ts'

export const byOperator = { actor: 'cli', origin: {} } as const

/** A form; a list stands for a repeated parameter, a text for the body as it is. */
export type Form = Readonly<Record<string, string | readonly string[]>> | string

const formText = (form: Form): string => {
  if (typeof form === 'string') return form
  const text = new URLSearchParams()
  for (const [name, value] of Object.entries(form)) {
    for (const each of typeof value === 'string' ? [value] : value) text.append(name, each)
  }
  return text.toString()
}

/** Posts a form to an OAuth endpoint. */
export const postForm = (
  app: FastifyInstance,
  url: string,
  form: Form,
  headers: Readonly<Record<string, string>> = {},
): Promise<LightMyRequestResponse> =>
  app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: formText(form),
  })

const formEncode = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)

/** The header of client_secret_basic (RFC 6749 §2.3.1). */
export const basic = (id: string, secret: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${formEncode(id)}:${formEncode(secret)}`).toString('base64')}`,
})

/** A confidential client that can authenticate. */
export const createMachine = async (
  { clientAdministration }: Pick<Deps, 'clientAdministration'>,
  registration: Partial<ClientRegistration> = {},
) => {
  const { client, secret } = await clientAdministration.create(
    { name: 'Machine', ...registration },
    byOperator,
  )
  if (secret === undefined) throw new Error('a machine is confidential')
  return { client, id: client.id, secret, headers: basic(client.id, secret) }
}

/** The parts of an answer that its sender decides by. */
export const outcomeOf = (response: LightMyRequestResponse) => {
  const { headers } = response
  return {
    status: response.statusCode,
    type: headers['content-type'],
    cache: headers['cache-control'],
    ...(headers['www-authenticate'] ? { challenge: headers['www-authenticate'] } : {}),
    ...(headers['retry-after'] ? { retryAfter: headers['retry-after'] } : {}),
    body: response.body === '' ? '' : response.json(),
  }
}

/** What `outcomeOf` gives for an error of an OAuth endpoint. */
export const oauthError = (
  status: number,
  error: string,
  error_description: string,
  rest: { code?: string; challenge?: string } = {},
) => ({
  status,
  type: 'application/json; charset=utf-8',
  cache: 'no-store',
  ...(rest.challenge ? { challenge: rest.challenge } : {}),
  body: { error, error_description, ...(rest.code ? { code: rest.code } : {}) },
})

export const basicChallenge = 'Basic realm="tessera", charset="UTF-8"'

export const unauthenticated = (challenge?: string) =>
  oauthError(
    401,
    'invalid_client',
    'Client authentication failed',
    challenge === undefined ? {} : { challenge },
  )
