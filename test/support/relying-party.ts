import * as openid from 'openid-client'
import type { Test } from 'tap'
import type { ClientRegistration } from '../../src/clients/client-registration.ts'
import { freePort } from './free-port.ts'
import { register, startService, type TestService } from './service.ts'
import { createWebAgent, type WebAgent, type WebPage } from './web-agent.ts'

/** The service over real HTTP, as the apps and browsers of these tests meet it. */
export type Provider = TestService & { readonly issuer: string }

export const startProvider = async (
  t: Test,
  environment: Readonly<Record<string, string>> = {},
): Promise<Provider> => {
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const settings = { ISSUER: issuer, PORT: `${port}`, HOST: 'localhost' }
  const service = await startService(t, { ...settings, ...environment })
  await service.app.listen({ port, host: 'localhost' })
  return { ...service, issuer }
}

/** Where the apps of these tests live; nothing listens there. */
export const redirectUri = 'https://app.example/callback'

/** A client for the code flow that asks for no consent; a test names only what matters to it. */
export const registerApp = async (
  { deps }: Provider,
  { settings, ...registration }: Partial<ClientRegistration> = {},
) => {
  const { client, secret } = await deps.clientAdministration.create(
    {
      name: 'App',
      grantTypes: ['authorization_code', 'refresh_token'],
      scope: ['openid', 'profile', 'email', 'offline_access', 'read', 'write'],
      redirectUris: [redirectUri],
      settings: { consent: 'skip', ...settings },
      ...registration,
    },
    { actor: 'cli', origin: {} },
  )
  return { id: client.id, secret: secret ?? '' }
}

/** What an independent client library finds out by itself. */
export const discover = async (
  { issuer }: Provider,
  clientId: string,
  authentication: openid.ClientAuth,
  metadata: Partial<openid.ClientMetadata> = {},
): Promise<openid.Configuration> =>
  openid.discovery(new URL(issuer), clientId, metadata, authentication, {
    execute: [openid.allowInsecureRequests],
  })

export type Person = Awaited<ReturnType<typeof register>>
export const registerPerson = ({ app }: Provider): Promise<Person> => register(app)

/** A browser that stops where it would leave the provider. */
export const createBrowser = ({ issuer }: Provider): WebAgent =>
  createWebAgent((url) => url.origin !== issuer)

/** Goes through whatever pages stand in between, as a person who agrees. */
export const passPages = async (
  agent: WebAgent,
  page: WebPage,
  { email, password }: Pick<Person, 'email' | 'password'>,
): Promise<WebPage> => {
  let present = page
  for (let count = 0; count < 6; count += 1) {
    const form = present.forms.find(({ names }) => names.includes('password'))
    if (present.status === 0) return present
    if (form !== undefined) {
      const name =
        form.names.find((each) => ['login', 'name', 'username'].includes(each)) ?? 'email'
      present = await agent.submit(present, { [name]: email, password })
    } else if (present.forms.some(({ buttons }) => buttons.some(isAllow))) {
      present = await agent.submit(present, {}, 'allow')
    } else return present
  }
  throw new Error(`no way through the pages, the last one was ${present.url}:\n${present.text}`)
}

const isAllow = ({ value }: { readonly value: string }): boolean => value === 'allow'

/** What an app keeps while its user is away, and the address where it sends them. */
export const beginSignIn = async (parameters: Readonly<Record<string, string>> = {}) => {
  const checks = {
    pkceCodeVerifier: openid.randomPKCECodeVerifier(),
    expectedState: openid.randomState(),
    expectedNonce: openid.randomNonce(),
  }
  const asked = {
    redirect_uri: redirectUri,
    scope: 'openid profile email',
    code_challenge: await openid.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...parameters,
  }
  return { checks, asked }
}
