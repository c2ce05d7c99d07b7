import type { Socket } from 'node:net'

/** One line to the server, one line back, on a connection of their own. */
export type LocalRequest = { readonly operation: string; readonly input: unknown }
export type LocalResponse =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: LocalError }

/** A failure as it travels: a sentence, and where the input was wrong the members that were. */
export type LocalError = {
  readonly message: string
  readonly fields?: readonly { readonly field: string; readonly message: string }[]
}

/**
 * Reads one line of JSON.
 * @param limit bytes at most, without the line's end.
 * @returns undefined when the peer ended before it had sent a line.
 * @throws {RangeError} past the limit. @throws {SyntaxError} for what is not JSON.
 */
export const readMessage = async (socket: Socket, limit: number): Promise<unknown> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const end = chunk.indexOf(0x0a)
    chunks.push(end === -1 ? chunk : chunk.subarray(0, end))
    bytes += chunks.at(-1)?.length ?? 0
    if (bytes > limit) throw new RangeError(`the message has more than ${limit} bytes`)
    if (end !== -1) return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  }
  return undefined
}

export const writeMessage = (socket: Socket, message: LocalRequest | LocalResponse): void => {
  socket.write(`${JSON.stringify(message)}\n`)
}
