const loopbackHosts = ['127.0.0.1', '[::1]', 'localhost']

/**
 * Whether a URI may be registered for redirects: absolute and without a fragment (RFC 6749
 * §3.1.2); https, http to the own machine only (RFC 9700 §2.6), or an app's private scheme, which
 * is a reversed domain name and so has a dot (RFC 8252 §7.1). That leaves out `javascript:`.
 */
export const isRedirectUri = (uri: string): boolean => {
  if (!/^[\x21-\x7e]{1,2000}$/.test(uri) || uri.includes('#') || !URL.canParse(uri)) return false
  const { protocol, hostname, username, password } = new URL(uri)
  if (username + password !== '') return false
  if (protocol === 'https:') return true
  return protocol === 'http:' ? loopbackHosts.includes(hostname) : protocol.includes('.')
}
