import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A TCP proxy on loopback that fails in the ways networks do. */
export type FaultyProxy = {
  readonly port: number
  /** The URL of the target with the proxy's address in place of the target's. */
  readonly url: string
  /** Breaks every connection and refuses new ones, as a dead server does, until `restore`. */
  cut(): void
  /** Keeps what the target answers, and new connections, without an end, until `restore`. */
  hold(): void
  /**
   * Lets the next requests through, drops what the target answers to them, then breaks the
   * connection: the work is done and nobody hears of it. Once.
   *
   * @param when shown every answer, and what was asked on its connection since the last BEGIN, picks
   *   the one to lose by their bytes; the very next one by default
   */
  loseReply(when?: (reply: Buffer, asked: Buffer) => boolean): void
  /**
   * Lets the present connections stand and never passes another byte of them, as a firewall that
   * has forgotten them does; new ones pass.
   */
  strand(): void
  /** Passes everything again; what was held is delivered. */
  restore(): void
  /** New connections reach another server from now on, as after a failover; present ones stay. */
  switchTo(targetUrl: string): void
}

type Mode = 'pass' | 'cut' | 'hold'
type Pair = { readonly client: Socket; readonly target: Socket }

/**
 * Starts a proxy in front of a server; it ends with the test.
 *
 * @param targetUrl any URL with host and port, such as one of PostgreSQL, Redis or HTTP
 */
export async function startProxy(t: Test, targetUrl: string): Promise<FaultyProxy> {
  let target = new URL(targetUrl)
  const pairs = new Set<Pair>()
  let mode: Mode = 'pass'
  let lost: ((reply: Buffer, asked: Buffer) => boolean) | undefined

  const server = createServer((client) => {
    if (mode === 'cut') return void client.resetAndDestroy()
    const pair = { client, target: connect(Number(target.port), target.hostname) }
    pairs.add(pair)
    join(pair, () => pairs.delete(pair))
    let asked: Buffer = Buffer.alloc(0)
    client.on('data', (request: Buffer) => {
      asked = /\b(?:begin|start transaction)\b/i.test(request.toString('latin1'))
        ? request
        : Buffer.concat([asked, request]).subarray(-100_000)
    })
    pair.target.on('data', (reply) => {
      if (lost?.(reply, asked)) {
        lost = undefined
        destroy(pair)
      } else if (!client.destroyed) client.write(reply)
    })
    if (mode === 'hold') pair.target.pause()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const pair of pairs) destroy(pair)
    server.close()
  })

  const { port } = server.address() as AddressInfo
  return {
    port,
    url: throughPort(target, port),
    cut() {
      mode = 'cut'
      for (const pair of pairs) destroy(pair)
    },
    hold() {
      mode = 'hold'
      for (const pair of pairs) pair.target.pause()
    },
    loseReply(when = () => true) {
      lost = when
    },
    strand() {
      for (const { client, target } of pairs) {
        client.unpipe(target)
        for (const socket of [client, target]) socket.removeAllListeners('data').resume()
      }
    },
    restore() {
      mode = 'pass'
      for (const pair of pairs) pair.target.resume()
    },
    switchTo(url) {
      target = new URL(url)
    },
  }
}

function join(pair: Pair, ended: () => void): void {
  const { client, target } = pair
  client.pipe(target)
  target.on('end', () => client.end())
  for (const socket of [client, target]) {
    socket.on('error', () => destroy(pair))
    socket.on('close', () => {
      ended()
      destroy(pair)
    })
  }
}

function destroy({ client, target }: Pair): void {
  // Node.js never gets rid of a socket that is reset while it is ending, and spins at its exit.
  if (client.writableEnded) client.destroy()
  else client.resetAndDestroy()
  target.destroy()
}

function throughPort(target: URL, port: number): string {
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = `${port}`
  return url.href
}
