import { ConfigError } from '../config.ts'
import { Unavailable } from '../oauth/unavailable.ts'

/** Errors whose message already is a sentence for the operator. */
const readable = new Set([
  'SchemaError',
  'DataFolderError',
  'SealError',
  'CliError',
  'TemplateError',
])

const listenProblems: Readonly<Record<string, (port: unknown) => string>> = {
  EADDRINUSE: (port) => `Port ${port} is in use: end what listens there, or set PORT to another`,
  EACCES: (port) => `Port ${port} is not open to this user: set PORT to 1024 or above`,
  EADDRNOTAVAIL: () => 'HOST is not an address of this machine',
  ENOTFOUND: () => 'HOST is not a name that can be resolved',
}

// Of several processes on a port it is the primary that binds it.
const listenCalls = new Set(['listen', 'bind', 'getaddrinfo'])

/**
 * Says why the service did not start.
 * @returns a sentence for each reason; undefined when the error is none that an operator can mend
 */
export const describeStartFailure = (error: unknown): readonly string[] | undefined => {
  if (error instanceof ConfigError) return error.problems
  if (!(error instanceof Error)) return undefined
  if (error instanceof Unavailable) {
    const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
    return [`The service cannot start, because ${error.message}${cause}`]
  }
  if (readable.has(error.name)) return [error.message]
  const { code, syscall, port } = error as NodeJS.ErrnoException & { port?: unknown }
  const describe =
    syscall !== undefined && listenCalls.has(syscall) ? listenProblems[code ?? ''] : undefined
  return describe === undefined ? undefined : [describe(port)]
}
