import { isUuid } from '../accounts/user.ts'
import { isAudience } from '../oauth/audience.ts'
import { grantTypes } from '../oauth/grant-type.ts'
import { isRedirectUri } from '../oauth/redirect-uri.ts'
import { isScopeToken } from '../oauth/scope.ts'
import { isWellFormedText } from '../oauth/text.ts'
import { isWebOrigin } from '../oauth/web-origin.ts'
import { authenticationMethods, firstPartyClientId } from './client.ts'
import { isClientId } from './client-id.ts'
import { keyRules } from './key-rules.ts'
import { profileRules } from './profile-rules.ts'
import {
  type Candidate,
  isNotAny,
  isPublic,
  isSenderConstrained,
  type RegistrationFault,
  type Rule,
} from './registration-rule.ts'
import { settingRules } from './setting-rules.ts'

const rules: readonly Rule[] = [
  [
    'client_id',
    'must be 1 to 200 printable ASCII characters without spaces',
    ({ id }) => !isClientId(id),
  ],
  // A resource server tells machines from people by `sub` (RFC 9700 §4.15.1).
  ['client_id', 'must not be a UUID, which is the form of a user id', ({ id }) => isUuid(id)],
  ['client_id', 'belongs to the built-in client', ({ id }) => id === firstPartyClientId],
  [
    'client_name',
    'must be 1 to 200 characters of text',
    ({ name }) => name.trim() === '' || name.length > 200 || !isWellFormedText(name),
  ],
  [
    'token_endpoint_auth_method',
    `must be one of ${authenticationMethods.join(', ')}`,
    ({ authenticationMethod: method }) => isNotAny(authenticationMethods)(method),
  ],
  [
    'grant_types',
    `must be one of ${grantTypes.join(', ')}`,
    (client) => client.grantTypes.some(isNotAny(grantTypes)),
  ],
  [
    'grant_types',
    'must not hold client_credentials for a public client, which has no credentials',
    (client) => isPublic(client) && client.grantTypes.includes('client_credentials'),
  ],
  [
    'scope',
    'must be scope tokens: printable ASCII characters without spaces, quotes and backslashes',
    ({ scope }) => !scope.every(isScopeToken),
  ],
  [
    'audience',
    'must be URIs without a fragment, or plain names',
    ({ audience }) => !audience.every(isAudience),
  ],
  [
    'resource_server',
    'must be URIs without a fragment, or plain names',
    ({ resourceServer }) => !resourceServer.every(isAudience),
  ],
  [
    'resource_server',
    'needs a confidential client: a public one may not introspect',
    (client) => isPublic(client) && client.resourceServer.length > 0,
  ],
  [
    'redirect_uris',
    'must be https URIs, http URIs of the own machine, or URIs of a private scheme with a dot',
    ({ redirectUris }) => !redirectUris.every(isRedirectUri),
  ],
  [
    'cors_origins',
    'must be origins such as https://app.example.com, without a path',
    ({ corsOrigins }) => !corsOrigins.every(isWebOrigin),
  ],
  [
    'refresh_grace_seconds',
    'must be a whole number from 0 to 600',
    ({ refreshGraceSeconds: seconds }) =>
      seconds !== null && !(Number.isInteger(seconds) && seconds >= 0 && seconds <= 600),
  ],
  [
    'redirect_uris',
    'must not be empty for authorization_code',
    (client) => client.grantTypes.includes('authorization_code') && !client.redirectUris.length,
  ],
  [
    'refresh_token_rotation',
    'must be rotate or static',
    ({ refreshTokenRotation }) => isNotAny(['rotate', 'static'])(refreshTokenRotation),
  ],
  // RFC 9700 §4.14.2: what is neither rotated nor bound could be used by whoever finds it.
  [
    'refresh_token_rotation',
    'static needs a confidential client whose tokens are bound to a key or a certificate',
    (client) =>
      client.refreshTokenRotation === 'static' &&
      (isPublic(client) || !isSenderConstrained(client)),
  ],
  // FAPI 2.0 Security Profile §5.3.2.1: its requests may be repeated, its stolen tokens are useless.
  [
    'refresh_grace_seconds',
    'must be at least 60 for a confidential client whose tokens are bound to a key',
    (client) =>
      client.refreshTokenRotation === 'rotate' &&
      !isPublic(client) &&
      isSenderConstrained(client) &&
      (client.refreshGraceSeconds ?? leastGraceSeconds) < leastGraceSeconds,
  ],
]

const leastGraceSeconds = 60

const all: readonly Rule[] = [...rules, ...settingRules, ...keyRules, ...profileRules]

/** Everything that is wrong, at once. */
export const findFaults = (client: Candidate): RegistrationFault[] =>
  all.flatMap(([field, message, isBroken]) => (isBroken(client) ? [{ field, message }] : []))
