import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A proxy before PostgreSQL that counts how often a client waits for an answer. */
export type CountingProxy = {
  readonly url: string
  /** Round trips so far, on all connections. */
  roundTrips(): number
  close(): void
}

// Frontend messages after which the server answers with ReadyForQuery (protocol 3, "Message Flow").
const query = 'Q'.charCodeAt(0)
const sync = 'S'.charCodeAt(0)

export const startCountingProxy = async (databaseUrl: string): Promise<CountingProxy> => {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let roundTrips = 0
  const server = createServer({ noDelay: true }, (client) => {
    const onward = connect({ port: Number(target.port), host: target.hostname, noDelay: true })
    const countIn = createMessageCounter(() => {
      roundTrips += 1
    })
    client.on('data', countIn).pipe(onward)
    onward.pipe(client)
    for (const socket of [client, onward]) {
      sockets.add(socket)
      socket
        .on('error', () => {})
        .on('close', () => {
          for (const each of [client, onward]) each.destroy()
        })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: Object.assign(new URL(target), { port: `${port}` }).href,
    roundTrips: () => roundTrips,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Follows the messages of one connection, however the bytes are cut. */
const createMessageCounter = (onRoundTrip: () => void): ((chunk: Buffer) => void) => {
  let rest: Buffer = Buffer.alloc(0)
  // The very first message has no type byte.
  let typeBytes = 0
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= typeBytes + 4) {
      const length = typeBytes + rest.readUInt32BE(typeBytes)
      if (rest.length < length) return
      if (typeBytes === 1 && (rest[0] === sync || rest[0] === query)) onRoundTrip()
      rest = rest.subarray(length)
      typeBytes = 1
    }
  }
}
