import { X509Certificate } from 'node:crypto'
import type { Environment } from './environment-schema.ts'

const pem = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** The certificates that CLIENT_CERTIFICATE_AUTHORITIES_FILE holds, each as PEM. */
export const readClientAuthorities = (
  { CLIENT_CERTIFICATE_AUTHORITIES_FILE: path }: Environment,
  readFile: (path: string) => string,
): { readonly authorities: readonly string[]; readonly problems: readonly string[] } => {
  if (path === undefined) return { authorities: [], problems: [] }
  try {
    const authorities = readFile(path).match(pem) ?? []
    if (authorities.length > 0 && authorities.every((each) => new X509Certificate(each).ca)) {
      return { authorities, problems: [] }
    }
  } catch {
    // Whether it cannot be read or holds something else: the path and its content stay unsaid.
  }
  const problem =
    'CLIENT_CERTIFICATE_AUTHORITIES_FILE must name a file of PEM certificates of authorities'
  return { authorities: [], problems: [problem] }
}
