import { isOwnScope } from '../oauth/own-scope.ts'
import { parseScope } from '../oauth/scope.ts'
import { isWebOrigin } from '../oauth/web-origin.ts'
import type { Rule } from './rule.ts'
import { isHeaderName, isHostPattern } from './value-forms.ts'

// Certificates are shown in TLS handshakes only.
const isSecureOrigin = (text: string): boolean => text.startsWith('https:') && isWebOrigin(text)

/** Rules of the variables about keys of clients and requests to others. */
export const outsideRules: readonly Rule[] = [
  {
    about: ['CLIENT_CERTIFICATE_HEADER'],
    isBroken: ({ CLIENT_CERTIFICATE_HEADER: name }) => name !== undefined && !isHeaderName(name),
    sentence:
      'CLIENT_CERTIFICATE_HEADER must be the name of a header that has no other use, such as Client-Cert',
  },
  {
    about: ['CLIENT_CERTIFICATE_HEADER', 'TRUSTED_PROXIES'],
    isBroken: ({ CLIENT_CERTIFICATE_HEADER: name }, { trustedProxies }) =>
      name !== undefined && trustedProxies.length === 0,
    sentence:
      'CLIENT_CERTIFICATE_HEADER needs TRUSTED_PROXIES: only their word about certificates counts',
  },
  {
    about: ['CLIENT_CERTIFICATE_HEADER', 'CLIENT_CERTIFICATE_AUTHORITIES_FILE'],
    isBroken: (environment) =>
      environment.CLIENT_CERTIFICATE_AUTHORITIES_FILE !== undefined &&
      environment.CLIENT_CERTIFICATE_HEADER === undefined,
    sentence: 'CLIENT_CERTIFICATE_AUTHORITIES_FILE is of use only beside CLIENT_CERTIFICATE_HEADER',
  },
  {
    about: ['MTLS_ORIGIN'],
    isBroken: ({ MTLS_ORIGIN: origin }) => origin !== undefined && !isSecureOrigin(origin),
    sentence: 'MTLS_ORIGIN must be an https origin without a path: https://mtls.auth.example.com',
  },
  {
    about: ['MTLS_ORIGIN', 'CLIENT_CERTIFICATE_HEADER'],
    isBroken: ({ MTLS_ORIGIN, CLIENT_CERTIFICATE_HEADER }) =>
      MTLS_ORIGIN !== undefined && CLIENT_CERTIFICATE_HEADER === undefined,
    sentence: 'MTLS_ORIGIN is of use only beside CLIENT_CERTIFICATE_HEADER',
  },
  {
    about: ['OUTBOUND_ALLOWED_HOSTS'],
    isBroken: (_environment, { outboundAllowedHosts }) =>
      !outboundAllowedHosts.every(isHostPattern),
    sentence:
      'OUTBOUND_ALLOWED_HOSTS must be host names without port, in lower case, or *. and such a name',
  },
  {
    about: ['OUTBOUND_PRIVATE_HOSTS'],
    isBroken: (_environment, { outboundPrivateHosts }) =>
      !outboundPrivateHosts.every(isHostPattern),
    sentence:
      'OUTBOUND_PRIVATE_HOSTS must be host names without port, in lower case, or *. and such a name',
  },
  {
    about: ['CLIENT_REGISTRATION_SCOPES'],
    isBroken: ({ CLIENT_REGISTRATION_SCOPES: text }) => {
      const scope = parseScope(text)
      return scope === undefined || scope.some(isOwnScope)
    },
    sentence:
      'CLIENT_REGISTRATION_SCOPES must be scopes with a space between them, without account, admin and password',
  },
]
