/** Names of the own machine, as a URL has them. */
export const loopbackHosts = ['127.0.0.1', '[::1]', 'localhost']

/**
 * Whether a URI may be registered for redirects: absolute and without a fragment (RFC 6749
 * §3.1.2); https, http to the own machine only (RFC 9700 §2.6), or an app's private scheme, which
 * is a reversed domain name and so has a dot (RFC 8252 §7.1). That leaves out `javascript:`.
 */
export const isRedirectUri = (uri: string): boolean => {
  if (!/^[\x21-\x7e]{1,2000}$/.test(uri) || !URL.canParse(uri)) return false
  // Nobody is redirected to a pattern: whoever registers one expects it to match something.
  if (/[#*]/.test(uri)) return false
  const { protocol, hostname, username, password } = new URL(uri)
  if (username + password !== '') return false
  if (protocol === 'https:') return true
  return protocol === 'http:' ? loopbackHosts.includes(hostname) : protocol.includes('.')
}

/**
 * Whether a redirect URI that is asked for is the registered one: the same characters (RFC 9700
 * §4.1.3). An app on the user's machine may listen on any port of the loopback address, which it
 * names as an IP address (RFC 8252 §7.3).
 */
export const matchesRedirectUri = (registered: string, requested: string): boolean =>
  registered === requested ||
  (loopback.test(registered) &&
    URL.canParse(requested) &&
    withoutPort(registered) === withoutPort(requested))

const loopback = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(?=[/?]|$)/

const withoutPort = (uri: string): string => uri.replace(loopback, '$1')
