import { join, relative, resolve } from 'node:path'
import { CliError } from './cli-error.ts'

// sun_path holds 108 bytes on Linux and 104 on the BSDs and macOS, with the NUL at its end.
const longestPathBytes = 103

/**
 * Path of the socket in a data folder, as the shorter of its absolute and relative form.
 * @throws {CliError} when no form is short enough for the operating system.
 */
export const localSocketPath = (dataDir: string): string => {
  const absolute = join(resolve(dataDir), 'tessera.sock')
  const shortest = [absolute, relative('', absolute)]
    .sort((a, b) => Buffer.byteLength(a) - Buffer.byteLength(b))
    .at(0) as string
  if (Buffer.byteLength(shortest) > longestPathBytes) {
    throw new CliError(
      `The path of the data folder ${dataDir} is too long for a local socket, which may have ${longestPathBytes} bytes: set DATA_DIR to a shorter one`,
    )
  }
  return shortest
}
