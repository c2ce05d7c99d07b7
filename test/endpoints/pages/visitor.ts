import type { Test } from 'tap'
import type { ClientRegistration } from '../../../src/clients/client-registration.ts'
import { type Provider, startProvider } from '../../support/relying-party.ts'
import { createWebAgent, type WebAgent, type WebPage } from '../../support/web-agent.ts'
import { byOperator } from '../oauth/requests.ts'

export const callback = 'https://notes.example/callback'

/** The service, and what tests of pages ask of it. */
export const startPages = async (t: Test, environment: Readonly<Record<string, string>> = {}) => {
  const provider = await startProvider(t, environment)
  return { ...provider, ...createActs(provider) }
}

export type Pages = Awaited<ReturnType<typeof startPages>>

const createActs = ({ deps, issuer }: Provider) => {
  const createApp = async (registration: Partial<ClientRegistration> = {}) => {
    const { client } = await deps.clientAdministration.create(
      {
        name: 'Notes',
        grantTypes: ['authorization_code', 'refresh_token'],
        scope: ['openid', 'offline_access', 'notes:read'],
        redirectUris: [callback],
        ...registration,
      },
      byOperator,
    )
    return client
  }
  return {
    createApp,
    /** A browser, to which the app is nothing but the end of the way. */
    openBrowser: (): WebAgent => createWebAgent((url) => url.origin !== issuer),
    authorizeUrl: (clientId: string, rest: Readonly<Record<string, string>> = {}): string =>
      `${issuer}/authorize?${new URLSearchParams({
        client_id: clientId,
        response_type: 'code',
        redirect_uri: rest.redirect_uri ?? callback,
        scope: 'openid notes:read',
        state: 'xyz',
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
        ...rest,
      })}`,
  }
}

/** The token of the page's forms. */
export const csrfTokenOf = ({ forms }: WebPage): string => {
  const token = forms.flatMap(({ fields }) => fields).find(([name]) => name === 'csrf_token')?.[1]
  if (token === undefined) throw new Error('the page has no form of ours')
  return token
}

/** What the page says was wrong. */
export const errorOf = ({ html }: Pick<WebPage, 'html'>): string | undefined =>
  /id="error"[^>]*>([^<]*)</.exec(html)?.[1]

/** Which page this is. */
export const nameOf = ({ html }: Pick<WebPage, 'html'>): string | undefined =>
  /<body id="page-([^"]*)"/.exec(html)?.[1]

/** Sends a form as no page of ours would, but with its token; follows where it leads. */
export const sendForm = (
  browser: WebAgent,
  page: WebPage,
  fields: Readonly<Record<string, string>>,
  { url = page.url, token = csrfTokenOf(page) }: { url?: URL; token?: string } = {},
): Promise<WebPage> =>
  browser.open(url, {
    method: 'POST',
    body: new URLSearchParams({ csrf_token: token, ...fields }),
    origin: page.url.origin,
  })
