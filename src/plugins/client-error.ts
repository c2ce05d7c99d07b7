import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Problem, type ProblemCode } from '../oauth/problem.ts'
import { randomId } from '../secrets/random.ts'
import { renderError } from './error-answer.ts'

type ConnectionError = Error & { readonly code?: string }

const problemCodes: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

/**
 * Answers what is not HTTP, too large to be parsed, or too slow, in the format of all errors, and
 * closes the connection.
 * @param headers those of every answer
 */
export const answerClientError = (
  error: ConnectionError,
  socket: Socket,
  headers: Readonly<Record<string, string>>,
): void => {
  // A reset connection hears no answer, and one that has begun must not be written into.
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy()
    return
  }
  const requestId = randomId()
  const code = problemCodes[error.code ?? ''] ?? 'malformed_request'
  const answer = renderError(new Problem(code), 'problem', requestId)
  const lines = Object.entries({
    ...headers,
    ...answer.headers,
    'x-request-id': requestId,
    'content-length': String(Buffer.byteLength(answer.body)),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}`)
  const status = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}`
  socket.end([status, ...lines, '', answer.body].join('\r\n'))
  socket.destroySoon()
}

// The same member that the default handler of Node.js looks at.
const isAnswering = (socket: Socket & { _httpMessage?: ServerResponse }): boolean =>
  socket._httpMessage?.headersSent ?? false
