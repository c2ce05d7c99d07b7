import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

type Variables = Readonly<Record<string, string | undefined>>

/**
 * With PORT=0 and no ISSUER, finds the free port before anything else: the issuer that follows from
 * it goes into every token.
 */
export const withFreePort = async (variables: Variables): Promise<Variables> =>
  variables.PORT?.trim() === '0' && !variables.ISSUER?.trim()
    ? { ...variables, PORT: String(await findFreePort()) }
    : variables

/** A port of the loopback address that nobody listens on. */
export const findFreePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
