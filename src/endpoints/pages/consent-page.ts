import type { BrowserSession } from '../../accounts/browser-session.ts'
import type { Interaction } from '../../authorize/interactions.ts'
import { type Client, isConfidential, isVetted } from '../../clients/client.ts'
import type { Config } from '../../config.ts'
import type { AuthorizationDetail } from '../../oauth/authorization-details.ts'
import { loopbackHosts } from '../../oauth/redirect-uri.ts'
import type { Scope } from '../../oauth/scope.ts'
import { isMessageKey, type Language, say } from '../../views/messages.ts'
import type { DetailMember, Duration, PageData, SpokenScope } from '../../views/page-data.ts'

type DurationConfig = Pick<Config, 'accessTokenTtlSeconds' | 'refreshTokenTtlSeconds'>

/** Scopes in words; those that only their services know by name. */
export const sayScopes = (language: Language, scope: Scope): SpokenScope[] =>
  scope.map((name) => {
    const key = `scope.${name}`
    const isKnown = isMessageKey(key) && name !== 'other'
    return {
      name,
      text: isKnown ? say(language, key) : say(language, 'scope.other', { scope: name }),
    }
  })

/** For how long a client may act. */
export const durationOf = (
  { grantTypes }: Pick<Client, 'grantTypes'>,
  scope: Scope,
  config: DurationConfig,
): Duration => {
  const minutes = Math.max(1, Math.round(config.accessTokenTtlSeconds / 60))
  if (!grantTypes.includes('refresh_token')) return { key: 'consent.minutes', values: { minutes } }
  const days = Math.max(1, Math.round(config.refreshTokenTtlSeconds / 86_400))
  const key = scope.includes('offline_access') ? 'consent.offline' : 'consent.session'
  return { key, values: { days } }
}

/** What the page that asks for consent shows. */
export const consentPage = (
  { request, client }: Interaction,
  session: BrowserSession,
  audience: readonly string[],
  language: Language,
  config: DurationConfig,
): Omit<PageData['consent'], 'action' | 'switchHref'> => ({
  session: session.id,
  email: session.email,
  client: client.name,
  logo: logoOf(client),
  links: linksOf(client),
  warning: warningFor(client, request.redirectUri),
  scopes: sayScopes(language, request.scope),
  details: (request.authorizationDetails ?? []).map(sayDetail),
  audiences: audience,
  duration: durationOf(client, request.scope, config),
  target: targetOf(request.redirectUri),
})

/**
 * Who registered by itself may call itself anything, and whoever listens on this device may take
 * the answer for another app (RFC 8252 §8.6).
 */
const warningFor = (client: Client, redirectUri: string): PageData['consent']['warning'] => {
  if (!isVetted(client)) return 'unassured'
  return !isConfidential(client) && isOnDevice(redirectUri) ? 'on-device' : undefined
}

const isOnDevice = (redirectUri: string): boolean => {
  const { protocol, hostname } = new URL(redirectUri)
  return protocol !== 'https:' && (protocol !== 'http:' || loopbackHosts.includes(hostname))
}

// A picture is loaded from its own place, so only those that the operator has approved.
const logoOf = ({ settings, ...client }: Client): string | undefined =>
  isVetted(client) && isHttps(settings.logoUri) ? settings.logoUri : undefined

const linksOf = ({ settings }: Client): PageData['consent']['links'] => {
  const { clientUri: site, policyUri: policy, tosUri: terms } = settings
  return Object.entries({ site, policy, terms }).flatMap(([name, href]) =>
    isHttps(href) ? [{ name: name as 'site', href }] : [],
  )
}

const isHttps = (uri: string | null): uri is string =>
  uri !== null && URL.canParse(uri) && new URL(uri).protocol === 'https:'

const targetOf = (redirectUri: string): string => {
  const { protocol, host } = new URL(redirectUri)
  return protocol === 'https:' || protocol === 'http:' ? host : protocol.slice(0, -1)
}

/** Members of an authorization detail as people read them. */
export const sayDetail = (detail: AuthorizationDetail): DetailMember[] =>
  Object.entries(detail).map(([name, value]) => ({
    name,
    text: typeof value === 'string' ? value : JSON.stringify(value),
  }))
