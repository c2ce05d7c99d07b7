import { type Finding, failed, fine, reasonOf, warning } from './finding.ts'

const longestWaitMs = 3000

/** Where an issuer's metadata are (RFC 8414 §3.1): before its path. */
const metadataUrl = (issuer: string): URL => {
  const url = new URL(issuer)
  const path = url.pathname === '/' ? '' : url.pathname
  url.pathname = `/.well-known/oauth-authorization-server${path}`
  return url
}

/** Whether the service can be reached under its issuer, and is the one that stands there. */
export const examineIssuer = async (issuer: string): Promise<Finding> => {
  try {
    const response = await fetch(metadataUrl(issuer), {
      redirect: 'manual',
      signal: AbortSignal.timeout(longestWaitMs),
    })
    const found = response.ok ? ((await response.json()) as { issuer?: unknown }).issuer : undefined
    if (found === issuer) return fine('issuer', `${issuer} answers as itself`)
    return failed(
      'issuer',
      found === undefined
        ? `What answers at ${issuer} publishes no metadata (status ${response.status})`
        : `What answers at ${issuer} calls itself ${String(found).slice(0, 200)}`,
      'Let ISSUER be exactly the public URL that leads to this service, in all nodes and its proxy',
    )
  } catch (error) {
    return warning(
      'issuer',
      `${issuer} does not answer: ${causeOf(error)}`,
      'Nothing to do while the service is stopped; else check the proxy, the name and the certificate',
    )
  }
}

const causeOf = (error: unknown): string =>
  reasonOf(error instanceof Error && error.cause !== undefined ? error.cause : error)
