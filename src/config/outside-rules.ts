import type { Rule } from './rules.ts'
import { isHeaderName, isHostPattern } from './value-forms.ts'

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
]
