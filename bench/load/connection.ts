import { once } from 'node:events'
import { connect } from 'node:net'

/** What a server answered to one request. */
export type Answer = { readonly status: number; readonly body: string }

/**
 * One keep-alive HTTP/1.1 connection with one request at a time. It understands just what the
 * measured servers send (a status line, `Content-Length`, a body), because a full client would take
 * from them the processor that they share with it.
 */
export type HttpConnection = {
  /** @throws {Error} when the connection breaks or the answer is none that it understands. */
  exchange(request: string): Promise<Answer>
  close(): void
}

export const openConnection = async (port: number): Promise<HttpConnection> => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.setEncoding('latin1')
  await once(socket, 'connect')
  let received = ''
  let waiting: PromiseWithResolvers<Answer> | undefined

  socket.on('data', (chunk: string) => {
    received += chunk
    const answer = parseAnswer(received)
    if (answer === undefined) return
    received = ''
    waiting?.resolve(answer)
  })
  const fail = (error: Error): void => waiting?.reject(error)
  socket.on('error', fail)
  socket.on('close', () => fail(new Error(`the server on port ${port} closed the connection`)))

  return {
    exchange(request) {
      waiting = Promise.withResolvers<Answer>()
      socket.write(request, 'latin1')
      return waiting.promise
    },
    close: () => socket.destroy(),
  }
}

export const openConnections = (port: number, count: number): Promise<HttpConnection[]> =>
  Promise.all(Array.from({ length: count }, () => openConnection(port)))

const endOfHead = '\r\n\r\n'

/** @returns undefined until the whole answer is there. */
const parseAnswer = (text: string): Answer | undefined => {
  const headEnd = text.indexOf(endOfHead)
  if (headEnd === -1) return undefined
  const body = text.slice(headEnd + endOfHead.length)
  if (body.length < contentLength(text.slice(0, headEnd))) return undefined
  return { status: Number(text.slice(9, 12)), body }
}

const contentLength = (head: string): number => {
  const length = /^content-length: (\d+)/im.exec(head)?.[1]
  if (length === undefined) throw new Error(`an answer without a length: ${head}`)
  return Number(length)
}
