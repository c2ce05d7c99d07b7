import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import formBody from '@fastify/formbody'
import Fastify, { type FastifyInstance } from 'fastify'

export type Form = Readonly<Record<string, string>>

/** What the answer to one form is made of. */
export type Respond = (form: Form) => Promise<{ signature?: string; refreshToken?: string }>

const answerBytes = 600

const answerSchema = {
  type: 'object',
  properties: {
    access_token: { type: 'string' },
    token_type: { type: 'string' },
    expires_in: { type: 'integer' },
    refresh_token: { type: 'string' },
    scope: { type: 'string' },
  },
} as const

/**
 * The least that Fastify does for a token endpoint: reads a form at `POST /token` and answers with
 * 600 bytes of JSON, by a schema.
 */
export const createFormServer = async (respond: Respond): Promise<FastifyInstance> => {
  const app = Fastify()
  await app.register(formBody)
  const schema = { response: { 200: answerSchema } }
  app.post('/token', { schema }, async (request) => {
    const { signature = '', refreshToken = '' } = await respond(request.body as Form)
    return {
      access_token: signature.padEnd(answerBytes - framing.length - refreshToken.length, 'x'),
      token_type: 'Bearer',
      expires_in: 900,
      refresh_token: refreshToken,
      scope: 'orders:read',
    }
  })
  return app
}

const framing = JSON.stringify({
  access_token: '',
  token_type: 'Bearer',
  expires_in: 900,
  refresh_token: '',
  scope: 'orders:read',
})

/** Listens on a free port, tells it to the parent process, and ends with that process. */
export const listen = async (app: FastifyInstance): Promise<void> => {
  await app.listen({ host: '127.0.0.1', port: 0 })
  process.send?.({ port: (app.server.address() as AddressInfo).port })
  await once(process, 'disconnect')
  process.exit(0)
}
