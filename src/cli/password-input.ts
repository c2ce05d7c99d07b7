import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { decodeUtf8 } from '../oauth/text.ts'
import { CliError } from './cli-error.ts'
import type { CliStreams } from './command-context.ts'

/** A new password, and whether it was made here, so that it has to be shown. */
export type NewPassword = { readonly password: string; readonly generated: boolean }

type PasswordStreams = Pick<CliStreams, 'stdin' | 'stderr'>

const longestInputBytes = 4096

/**
 * Gets a new password without its ever standing on the command line: from standard input when
 * asked to, else typed twice unseen at a terminal, else made here.
 * @throws {CliError} when standard input holds none, or the two typed ones differ.
 */
export const obtainPassword = async (
  streams: PasswordStreams,
  fromStdin: boolean,
): Promise<NewPassword> => {
  if (fromStdin) return { password: await readPassword(streams.stdin), generated: false }
  if (streams.stdin.isTTY) return { password: await askTwice(streams), generated: false }
  return { password: randomBytes(18).toString('base64url'), generated: true }
}

// Exactly as given, but for the line's end that `echo` and editors add.
const readPassword = async (stdin: NodeJS.ReadStream): Promise<string> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > longestInputBytes) throw new CliError('Standard input is too long for a password')
  }
  const text = decodeUtf8(Buffer.concat(chunks))
  if (text === undefined) throw new CliError('The password on standard input is not UTF-8')
  const password = text.replace(/\r?\n$/, '')
  if (password === '') throw new CliError('There is no password on standard input')
  return password
}

const askTwice = async ({ stdin, stderr }: PasswordStreams): Promise<string> => {
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() })
  const editor = createInterface({ input: stdin, output: unseen, terminal: true, historySize: 0 })
  editor.once('SIGINT', () => editor.close())
  const lines = editor[Symbol.asyncIterator]()
  const ask = async (prompt: string): Promise<string> => {
    stderr.write(prompt)
    const { value, done } = await lines.next()
    stderr.write('\n')
    if (done) throw new CliError('No password was typed: nothing was done')
    return value
  }
  try {
    const password = await ask('Password: ')
    if ((await ask('Password again: ')) === password) return password
    throw new CliError('The two passwords differ: nothing was done')
  } finally {
    editor.close()
  }
}
