import { signingAlgorithms } from '../oauth/algorithm.ts'
import { isRedirectUri } from '../oauth/redirect-uri.ts'
import { responseModes } from '../oauth/response-mode.ts'
import { isWellFormedText } from '../oauth/text.ts'
import { isSecureUrl, isWebUrl } from '../oauth/web-url.ts'
import { type ClientSettings, clientSigningAlgorithms } from './client-settings.ts'
import { isNotAny, isPublic, type Rule } from './registration-rule.ts'
import { settingName } from './setting-name.ts'

type Member = keyof ClientSettings

/** A setting that, where it is set, must be one of some words. */
const oneOf = (member: Member, words: readonly string[]): Rule => [
  settingName(member),
  `must be one of ${words.join(', ')}`,
  ({ settings }) => settings[member] !== null && isNotAny(words)(String(settings[member])),
]

/** A list of which each item must have a form. */
const listOf = (member: Member, message: string, isItem: (item: string) => boolean): Rule => [
  settingName(member),
  message,
  ({ settings }) => !(settings[member] as readonly string[]).every(isItem),
]

/** A setting that, where it is set, must be a URL of a kind. */
const urlOf = (member: Member, message: string, isUrl: (url: string) => boolean): Rule => [
  settingName(member),
  message,
  ({ settings }) => settings[member] !== null && !isUrl(String(settings[member])),
]

const anywhere = 'must be an https URL, or an http URL of the own machine, without credentials'
const fetched = `${anywhere} and without a fragment`
const isFetched = (url: string): boolean => isWebUrl(url) && !url.includes('#')

const isWord = (text: string): boolean => /^[\x21-\x7e]{1,200}$/.test(text)
const isContact = (text: string): boolean =>
  text.trim() !== '' && text.length <= 200 && isWellFormedText(text)

const maximumAge = 366 * 24 * 60 * 60

/** What each setting may be, and how several go together. */
export const settingRules: readonly Rule[] = [
  listOf(
    'responseModes',
    `must be one of ${responseModes.join(', ')}`,
    (mode) => !isNotAny(responseModes)(mode),
  ),
  ['response_modes', 'must not be empty', ({ settings }) => settings.responseModes.length === 0],
  // ASVS 5.0 10.4.6: only who has a credential may do without.
  [
    'require_pkce',
    'must be true for a public client',
    (client) => isPublic(client) && !client.settings.requirePkce,
  ],
  [
    'default_max_age',
    `must be a whole number of seconds from 0 to ${maximumAge}`,
    ({ settings: { defaultMaxAge: seconds } }) =>
      seconds !== null && !(Number.isInteger(seconds) && seconds >= 0 && seconds <= maximumAge),
  ],
  listOf('defaultAcrValues', 'must be words of printable ASCII', isWord),
  listOf('authorizationDetailsTypes', 'must be words of printable ASCII', isWord),
  oneOf('consent', ['remember', 'always', 'skip']),
  oneOf('assertionAudience', ['issuer', 'legacy']),
  oneOf('tokenExchange', ['delegate', 'impersonate']),
  listOf('tokenExchangeClients', 'must be client ids', isWord),
  oneOf('tokenEndpointAuthSigningAlg', clientSigningAlgorithms),
  oneOf(
    'requestObjectSigningAlg',
    clientSigningAlgorithms.filter((name) => name !== 'HS256'),
  ),
  oneOf('idTokenSignedResponseAlg', signingAlgorithms),
  oneOf('userinfoSignedResponseAlg', signingAlgorithms),
  oneOf('authorizationSignedResponseAlg', signingAlgorithms),
  oneOf('introspectionSignedResponseAlg', signingAlgorithms),
  oneOf('subjectType', ['public', 'pairwise']),
  urlOf('jwksUri', fetched, isFetched),
  // OpenID Connect Core §8.1: https, whoever asks.
  urlOf('sectorIdentifierUri', 'must be an https URL without credentials', isSecureUrl),
  [
    'sector_identifier_uri',
    'is needed for pairwise subjects where redirect_uris have several hosts',
    ({ settings, redirectUris }) =>
      settings.subjectType === 'pairwise' &&
      settings.sectorIdentifierUri === null &&
      new Set(redirectUris.filter((uri) => URL.canParse(uri)).map((uri) => new URL(uri).host))
        .size > 1,
  ],
  urlOf('backchannelLogoutUri', fetched, isFetched),
  [
    'backchannel_logout_session_required',
    'needs backchannel_logout_uri',
    ({ settings }) =>
      settings.backchannelLogoutSessionRequired && settings.backchannelLogoutUri === null,
  ],
  listOf(
    'postLogoutRedirectUris',
    'must be https URIs, http URIs of the own machine, or URIs of a private scheme with a dot',
    isRedirectUri,
  ),
  ...(['clientUri', 'logoUri', 'policyUri', 'tosUri'] as const).map((member) =>
    urlOf(member, anywhere, isWebUrl),
  ),
  listOf('contacts', 'must be 1 to 200 characters of text each', isContact),
]
