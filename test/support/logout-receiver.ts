import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'

/** Lets the service reach clients of this machine. */
export const loopbackClients = { OUTBOUND_PRIVATE_HOSTS: '127.0.0.1' }

/** A client on loopback that is told of logouts; how it answers can be changed. */
export const startLogoutReceiver = async (t: Test) => {
  const tokens: string[] = []
  const state: { answer: (response: ServerResponse) => unknown } = {
    answer: (response) => response.writeHead(200).end(),
  }
  const server = createServer(async (request, response) => {
    tokens.push(new URLSearchParams(await text(request)).get('logout_token') ?? '')
    state.answer(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { tokens, state, uri: `http://127.0.0.1:${port}/logout` }
}
