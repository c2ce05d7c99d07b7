import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** Who sends a message of the PostgreSQL protocol. */
export type Sender = 'service' | 'database'

/** One message, such as `service: Parse`; the one that opens a connection is not among them. */
export type PostgresMessage = {
  readonly sender: Sender
  /** As PostgreSQL's documentation names it, or its type byte where no test needs a name. */
  readonly name: string
  readonly bytes: Buffer
}

/**
 * What becomes of a message: `stop` drops it and all that follows on its connection in its
 * direction, while the connection stands.
 */
export type Fate = 'pass' | 'stop'

/** A proxy in front of PostgreSQL that passes whole messages, one after the other. */
export type PostgresProxy = {
  /** The URL of the database with the proxy's address in place of the server's. */
  readonly url: string
  /**
   * Decides about each message from now on. It gets a function for each connection, so that it can
   * follow the one on which something begins.
   */
  judge(forConnection: () => (message: PostgresMessage) => Fate): void
}

const names: Readonly<Record<Sender, Readonly<Record<string, string>>>> = {
  service: { P: 'Parse', B: 'Bind', D: 'Describe', E: 'Execute', S: 'Sync', Q: 'Query' },
  database: {
    '1': 'ParseComplete',
    '2': 'BindComplete',
    T: 'RowDescription',
    D: 'DataRow',
    C: 'CommandComplete',
    Z: 'ReadyForQuery',
  },
}

/** Starts a proxy that knows the protocol of PostgreSQL (without TLS); it ends with the test. */
export async function startPostgresProxy(t: Test, databaseUrl: string): Promise<PostgresProxy> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let current =
    () =>
    (_message: PostgresMessage): Fate =>
      'pass'

  const server = createServer((service) => {
    const database = connect(Number(target.port), target.hostname)
    let judged: { by: typeof current; fate: (message: PostgresMessage) => Fate } | undefined
    const fateOf = (message: PostgresMessage): Fate => {
      if (judged?.by !== current) judged = { by: current, fate: current() }
      return judged.fate(message)
    }
    relay('service', service, database, fateOf)
    relay('database', database, service, fateOf)
    for (const socket of [service, database]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        service.destroy()
        database.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = `${(server.address() as AddressInfo).port}`
  return {
    url: url.href,
    judge(forConnection) {
      current = forConnection
    },
  }
}

function relay(
  sender: Sender,
  from: Socket,
  to: Socket,
  fateOf: (message: PostgresMessage) => Fate,
): void {
  let rest = Buffer.alloc(0)
  // The service's first message has no type byte.
  let typeBytes = sender === 'service' ? 0 : 1
  let stopped = false
  from.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= typeBytes + 4) {
      const end = typeBytes + rest.readUInt32BE(typeBytes)
      if (rest.length < end) return
      const bytes = rest.subarray(0, end)
      rest = rest.subarray(end)
      const type = bytes.toString('latin1', 0, typeBytes)
      stopped ||= type !== '' && fateOf({ sender, name: nameOf(sender, type), bytes }) === 'stop'
      if (!stopped && !to.destroyed) to.write(bytes)
      typeBytes = 1
    }
  })
}

const nameOf = (sender: Sender, type: string): string => names[sender][type] ?? type
