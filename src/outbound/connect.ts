import { type LookupAddress, lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { Agent, buildConnector } from 'undici'
import type { Target } from './target.ts'

/** An address that is not for requests of strangers; nothing was sent there. */
export class ForbiddenAddress extends Error {
  constructor() {
    super('the address is not a public one')
    this.name = 'ForbiddenAddress'
  }
}

type Options = {
  readonly timeoutMs: number
  /** How names become addresses; for tests. */
  readonly resolve?: typeof lookup
}

/**
 * Connects to one target. Addresses are checked when the connection is made, as nobody can resolve
 * a name a second time in between, and once more on the connection itself.
 */
export const createConnection = (
  { admits }: Target,
  { timeoutMs, resolve = lookup }: Options,
): Agent => {
  const connector = buildConnector({
    timeout: timeoutMs,
    lookup: checkedLookup(admits, resolve),
    // Undici's own cache of TLS sessions would outlive the check of an address.
    maxCachedSessions: 0,
  })
  return new Agent({
    connect: (options, callback) =>
      connector(options, (...[error, socket]) => {
        if (error !== null) return callback(error, null)
        if (admits(socket.remoteAddress ?? '')) return callback(null, socket)
        socket.destroy()
        callback(new ForbiddenAddress(), null)
      }),
    pipelining: 0,
    maxHeaderSize: 16_384,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })
}

/** One address of a name that must not be asked, and none of them is. */
const checkedLookup =
  (admits: Target['admits'], resolve: typeof lookup): LookupFunction =>
  (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error) return callback(error, [])
      if (found.length === 0 || !found.every(({ address }) => admits(address))) {
        return callback(new ForbiddenAddress(), [])
      }
      if (options.all) return callback(null, found)
      const [first] = found as [LookupAddress]
      callback(null, first.address, first.family)
    })
  }
