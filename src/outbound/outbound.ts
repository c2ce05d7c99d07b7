import type { lookup } from 'node:dns'
import { type Dispatcher, errors } from 'undici'
import { createConnection, ForbiddenAddress } from './connect.ts'
import { type OutboundPolicy, readTarget } from './target.ts'

/** A request to a URL that somebody else has named. */
export type OutboundRequest = {
  readonly url: string
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Media types that the answer may have; absent: its body is not read. */
  readonly mediaTypes?: readonly string[]
  /** Largest body; default 64 KiB. */
  readonly maxBytes?: number
}

export type OutboundFailure =
  | 'forbidden'
  | 'busy'
  | 'unreachable'
  | 'too_slow'
  | 'too_large'
  | 'wrong_status'
  | 'wrong_media_type'

export type OutboundOutcome =
  | { readonly ok: true; readonly status: number; readonly body: Buffer }
  | { readonly ok: false; readonly reason: OutboundFailure; readonly status?: number }

/** The only way out of the service to addresses that clients and strangers have named. */
export type Outbound = {
  /**
   * Sends one request, on a connection of its own. Follows no redirect. Never rejects: a failure
   * is an answer, whose reason is for the log, not for whoever has named the URL.
   */
  send(request: OutboundRequest): Promise<OutboundOutcome>
}

type Options = OutboundPolicy & {
  /** For all of it, name resolution included; default 5 s. */
  readonly timeoutMs?: number
  readonly resolve?: typeof lookup
}

const defaultMaxBytes = 65_536
const mostAtOnce = 64
/** One slow host keeps nobody from the others. */
const mostAtOnceOfHost = 4

export const createOutbound = ({ timeoutMs = 5000, resolve, ...policy }: Options): Outbound => {
  const running = new Map<string, number>()
  let total = 0

  const begin = (host: string): boolean => {
    const ofHost = running.get(host) ?? 0
    if (total >= mostAtOnce || ofHost >= mostAtOnceOfHost) return false
    running.set(host, ofHost + 1)
    total += 1
    return true
  }
  const end = (host: string): void => {
    const left = (running.get(host) ?? 1) - 1
    if (left === 0) running.delete(host)
    else running.set(host, left)
    total -= 1
  }

  return {
    async send(request) {
      const target = readTarget(request.url, policy)
      if (target === undefined) return { ok: false, reason: 'forbidden' }
      const { host } = target.url
      if (!begin(host)) return { ok: false, reason: 'busy' }
      const connection = createConnection(target, {
        timeoutMs,
        ...(resolve === undefined ? {} : { resolve }),
      })
      try {
        const signal = AbortSignal.timeout(timeoutMs)
        return await exchange(connection, target.url, request, signal)
      } catch (error) {
        return { ok: false, reason: reasonOf(error) }
      } finally {
        end(host)
        // Whatever is still coming is not waited for.
        void connection.destroy()
      }
    },
  }
}

const exchange = async (
  connection: Dispatcher,
  url: URL,
  { method = 'GET', headers, body, mediaTypes, maxBytes = defaultMaxBytes }: OutboundRequest,
  signal: AbortSignal,
): Promise<OutboundOutcome> => {
  const answer = await connection.request({
    ...{ origin: url.origin, path: url.pathname + url.search, method, signal },
    headers: {
      'user-agent': 'Tessera',
      // A small compressed body can be a large one.
      'accept-encoding': 'identity',
      ...(mediaTypes === undefined ? {} : { accept: mediaTypes.join(', ') }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  })
  const { statusCode: status } = answer
  // Nobody reads the rest, which ends with the connection.
  answer.body.on('error', () => {})
  if (status < 200 || status > 299) return { ok: false, reason: 'wrong_status', status }
  if (mediaTypes === undefined) return { ok: true, status, body: Buffer.alloc(0) }
  if (!hasMediaType(answer.headers, mediaTypes)) return { ok: false, reason: 'wrong_media_type' }
  const read = await readBody(answer.body, maxBytes)
  return read === undefined ? { ok: false, reason: 'too_large' } : { ok: true, status, body: read }
}

const hasMediaType = (
  headers: Dispatcher.ResponseData['headers'],
  mediaTypes: readonly string[],
): boolean => {
  const { 'content-type': type, 'content-encoding': coding = 'identity' } = headers
  if (typeof type !== 'string' || coding !== 'identity') return false
  return mediaTypes.includes(type.split(';', 1)[0]?.trim().toLowerCase() ?? '')
}

const readBody = async (
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Buffer | undefined> => {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const reasonOf = (error: unknown): OutboundFailure => {
  if (error instanceof ForbiddenAddress) return 'forbidden'
  const isLate =
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    (error instanceof Error && error.name === 'TimeoutError')
  return isLate ? 'too_slow' : 'unreachable'
}
