import type { AddressInfo } from 'node:net'
import type { Config } from '../config.ts'
import { basePathOf } from '../plugins/base-path.ts'

const anyAddress = new Set(['0.0.0.0', '::', '127.0.0.1', '::1'])

/** Where the service answers on this machine, with the issuer's path and no slash at the end. */
const localUrl = ({ address, family, port }: AddressInfo, basePath: string): string => {
  const literal = family === 'IPv6' ? `[${address}]` : address
  return `http://${anyAddress.has(address) ? 'localhost' : literal}:${port}${basePath}`
}

/** Writes the banner; in production standard output is the log alone. */
export const greet = (config: Config, address: AddressInfo): void => {
  if (config.production) return
  process.stdout.write(banner(config, localUrl(address, basePathOf(config.issuer))))
}

/** What a newcomer sees once the service listens: where it is, and lines that work when pasted. */
export const banner = (config: Pick<Config, 'issuer' | 'registration'>, url: string): string =>
  [
    '',
    'Tessera is ready.',
    '',
    `  Issuer:   ${config.issuer}`,
    `  API page: ${url}/docs`,
    ...(config.registration === 'open' ? tryOut(url) : []),
    '',
    '',
  ].join('\n')

const tryOut = (url: string): string[] => [
  '',
  'Paste these lines to register, to see who you are, and to refresh the tokens:',
  '',
  `TOKENS=$(curl -s ${url}/auth/register -H 'content-type: application/json' -d '{"email":"jo-'$(date +%s)'@example.com","password":"violet kettle on the roof"}'); echo "$TOKENS"`,
  '',
  `curl -s ${url}/auth/me -H "authorization: Bearer ${member('access_token')}"; echo`,
  '',
  `TOKENS=$(curl -s ${url}/auth/refresh -H 'content-type: application/json' -d "{\\"refresh_token\\":\\"${member('refresh_token')}\\"}"); echo "$TOKENS"`,
]

// A bare machine has sed, but no program that reads JSON.
const member = (name: string): string =>
  `$(printf %s "$TOKENS" | sed 's/.*"${name}":"\\([^"]*\\)".*/\\1/')`
