import type { BrowserSession } from '../../accounts/browser-session.ts'
import type { Config } from '../../config.ts'
import type { FoundDevice } from '../../grants/device-requests.ts'
import type { Language } from '../../views/messages.ts'
import type { PageData } from '../../views/page-data.ts'
import { durationOf, sayDetail, sayScopes } from './consent-page.ts'

/** What the page shows that asks whether a device may have what it asks for. */
export const deviceConfirmPage = (
  { client, userCode, scope, audience, authorizationDetails = [] }: FoundDevice,
  session: BrowserSession,
  language: Language,
  config: Pick<Config, 'accessTokenTtlSeconds' | 'refreshTokenTtlSeconds'>,
): Omit<PageData['device-confirm'], 'action'> => ({
  client: client.name,
  userCode,
  email: session.email,
  scopes: sayScopes(language, scope),
  details: authorizationDetails.map(sayDetail),
  audiences: audience ?? [],
  duration: durationOf(client, scope, config),
  fields: { user_code: userCode, session: session.id },
})
