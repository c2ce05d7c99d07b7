/**
 * How a policy names where a form's answer leads (CSP 3 §6.7.2.5): the origin of a redirect URI, or
 * the scheme of an app's own. An IPv6 address has no spelling there, so its scheme must do.
 * @param redirectUri one that has been verified
 */
export const formTargetOf = (redirectUri: string): string => {
  const { protocol, origin, hostname } = new URL(redirectUri)
  const isWeb = protocol === 'https:' || protocol === 'http:'
  return isWeb && !hostname.startsWith('[') ? origin : protocol
}
