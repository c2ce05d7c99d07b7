import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'

/** One delivery of an alert, as it arrived. */
export type Delivery = { readonly headers: IncomingHttpHeaders; readonly body: string }

/** The key that signs, and how it is written. */
export const alertKey = Buffer.alloc(32, 5)
export const alertSecret = `whsec_${alertKey.toString('base64')}`

/** A receiver of alerts on loopback, whose behaviour can be changed. */
export const startAlertReceiver = async (t: Test) => {
  const messages: Delivery[] = []
  const state: { answer: (response: ServerResponse) => unknown } = {
    answer: (response) => response.writeHead(204).end(),
  }
  const server = createServer(async (request, response) => {
    messages.push({ headers: request.headers, body: await text(request) })
    state.answer(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/alerts`
  const settings = { ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: alertSecret }
  return { messages, state, url, settings }
}
