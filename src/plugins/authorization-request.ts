import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { RawParameters } from '../authorize/parameters.ts'
import { type Names, parseForm, registerFormBody } from './form-body.ts'

/** What is repeated is refused by whoever knows where that may be told. */
const everything: Names = { includes: () => true }

/** Makes a scope take forms whose parameters may all be repeated, for now. */
export const registerRawParameters = (app: FastifyInstance): void =>
  registerFormBody(app, everything)

/**
 * The parameters of a request, from its address or, for a POST, from its form alone.
 * @throws {Problem} malformed_body for what is not UTF-8 text
 */
export const rawParametersOf = (request: FastifyRequest): RawParameters => {
  if (request.method === 'POST') return request.body as RawParameters
  const [, query = ''] = request.url.split(/\?(.*)/s, 2)
  return parseForm(Buffer.from(query), everything) as RawParameters
}
