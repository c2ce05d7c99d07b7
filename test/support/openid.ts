import { randomBytes, randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import { sql } from 'kysely'
import type { ClientRegistration } from '../../src/clients/client-registration.ts'
import { type ClientSettings, defaultClientSettings } from '../../src/clients/client-settings.ts'
import type { ClaimsRequest } from '../../src/oauth/claims-request.ts'
import { sha256 } from '../../src/secrets/digest.ts'
import type { TestService } from './service.ts'
import type { SqlBackend } from './sql-backends.ts'

type Db = SqlBackend['db']

/** A confidential client of OpenID Connect, and the header that it authenticates by. */
export const createRelyingParty = async (
  { deps }: Pick<TestService, 'deps'>,
  settings: Partial<ClientSettings> = {},
  registration: Partial<ClientRegistration> = {},
) => {
  const { client, secret } = await deps.clientAdministration.create(
    {
      name: 'App',
      grantTypes: ['authorization_code', 'refresh_token'],
      scope: ['openid', 'profile', 'email', 'offline_access'],
      redirectUris: ['https://app.example/cb'],
      settings: { ...defaultClientSettings, ...settings },
      ...registration,
    },
    { actor: 'cli', origin: {} },
  )
  const credentials = Buffer.from(`${client.id}:${secret}`).toString('base64')
  return { id: client.id, client, headers: { authorization: `Basic ${credentials}` } }
}

export type RelyingParty = Awaited<ReturnType<typeof createRelyingParty>>

/**
 * A session of a browser, as a sign-in leaves it.
 * @param secret that the browser's cookie holds
 * @returns its id
 */
export const seedSession = async (db: Db, userId: string, secret?: string): Promise<string> => {
  const id = randomUUID()
  const digest = secret === undefined ? null : sha256(secret)
  await sql`
    INSERT INTO sessions (id, user_id, amr, acr, auth_time, created_at, expires_at, last_seen_at,
      cookie_digest)
    VALUES (${id}::uuid, ${userId}::uuid, '{pwd}', 'urn:tessera:pwd', now() - interval '1 minute', now(),
      now() + interval '1 day', now(), ${digest})`.execute(db)
  return id
}

type Granted = {
  readonly userId: string
  readonly sessionId: string
  readonly scope?: readonly string[]
  readonly nonce?: string
  readonly claims?: ClaimsRequest
}

/** The code of an authorization request; it lives long, for tests that move the time. */
export const seedCode = async (
  db: Db,
  { client }: RelyingParty,
  { userId, sessionId, scope = ['openid'], nonce, claims }: Granted,
): Promise<string> => {
  const code = randomBytes(32).toString('base64url')
  await sql`
    INSERT INTO authorization_codes (digest, client_id, redirect_uri, redirect_uri_stated, user_id,
      session_id, credential_epoch, auth_time, amr, acr, scope, claims_request, nonce, created_at,
      expires_at)
    SELECT ${sha256(code)}, ${client.id}, ${client.redirectUris[0] ?? ''}, true, ${userId}::uuid,
      s.id, u.credential_epoch, s.auth_time, s.amr, s.acr, ${[...scope]}::text[],
      ${claims === undefined ? null : JSON.stringify(claims)}::jsonb, ${nonce ?? null}, now(),
      now() + interval '1 hour'
    FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ${sessionId}::uuid`.execute(db)
  return code
}

export type Tokens = {
  readonly access_token: string
  readonly id_token: string
  readonly refresh_token: string
}

const postToken = async (
  { app }: Pick<TestService, 'app'>,
  { headers }: RelyingParty,
  form: Readonly<Record<string, string>>,
): Promise<Tokens> => {
  const answer = await app.inject({
    method: 'POST',
    url: '/token',
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams(form).toString(),
  })
  if (answer.statusCode !== 200) throw new Error(`no tokens: ${answer.body}`)
  return answer.json<Tokens>()
}

/** Tokens of a person for a client, by a code of a session. */
export const obtainTokens = async (
  service: Pick<TestService, 'app'>,
  db: Db,
  party: RelyingParty,
  granted: Granted,
): Promise<Tokens> => {
  const code = await seedCode(db, party, granted)
  const [redirectUri = ''] = party.client.redirectUris
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri }
  return postToken(service, party, form)
}

export const refreshTokens = (
  service: Pick<TestService, 'app'>,
  party: RelyingParty,
  refreshToken: string,
): Promise<Tokens> =>
  postToken(service, party, { grant_type: 'refresh_token', refresh_token: refreshToken })

export const claimsIn = (jwt: string): Record<string, unknown> => decodeJwt(jwt)
