import type { FastifyInstance, InjectOptions } from 'fastify'
import type { RegistrationTokenInput } from '../../../src/clients/registration-token-administration.ts'
import type { TestService } from '../../support/service.ts'
import { byOperator } from './requests.ts'

/** What a web app says of itself. */
export const webApp = { redirect_uris: ['https://app.example/cb'], client_name: 'App' }

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

export const createInitialToken = async (
  { deps }: Pick<TestService, 'deps'>,
  input: Partial<RegistrationTokenInput> = {},
) => deps.registrationTokenAdministration.create({ name: 'Partner', ...input }, byOperator)

type Request = Pick<InjectOptions, 'method' | 'headers'> & { readonly body?: unknown }

/** Speaks JSON with the registration endpoint or, by an id, with the management of one client. */
export const askRegistration = async (app: FastifyInstance, id: string, request: Request) => {
  const { method = 'POST', headers = {}, body } = request
  const payload = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await app.inject({
    method,
    url: `/connect/register${id === '' ? '' : `/${id}`}`,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { payload }),
  })
  return {
    status: response.statusCode,
    headers: response.headers,
    json: response.body === '' ? undefined : response.json(),
  }
}

/** A client that has registered itself, and what it may say of itself. */
export const registerApp = async (
  service: Pick<TestService, 'app' | 'deps'>,
  metadata: object = webApp,
) => {
  const { token } = await createInitialToken(service)
  const { status, json } = await askRegistration(service.app, '', {
    headers: bearer(token),
    body: metadata,
  })
  if (status !== 201) throw new Error(JSON.stringify(json))
  const { registration_access_token: access, client_id: id } = json
  const manage = (method: 'GET' | 'PUT' | 'DELETE', body?: unknown, by = access) =>
    askRegistration(service.app, id, { method, headers: bearer(by), body })
  return { id: id as string, access: access as string, json, manage }
}
