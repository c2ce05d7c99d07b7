import type { ClientChange } from '../../clients/client-change.ts'
import type { ClientRegistration } from '../../clients/client-registration.ts'
import { readSettings } from '../client-settings-body.ts'

type WireClientChange = {
  readonly client_name?: string
  readonly grant_types?: readonly string[]
  readonly scope?: string
  readonly audience?: readonly string[]
  readonly resource_server?: readonly string[]
  readonly redirect_uris?: readonly string[]
  readonly cors_origins?: readonly string[]
  readonly refresh_grace_seconds?: number | null
  readonly refresh_retry_elsewhere?: 'allow' | 'refuse'
  readonly refresh_token_rotation?: 'rotate' | 'static'
}

/** What a body states about a client; what it does not state stays unstated. */
export const readClientChange = (body: WireClientChange): ClientChange =>
  Object.fromEntries(
    Object.entries({
      name: body.client_name,
      grantTypes: body.grant_types,
      scope: body.scope?.split(' ').filter((token) => token !== ''),
      audience: body.audience,
      resourceServer: body.resource_server,
      redirectUris: body.redirect_uris,
      corsOrigins: body.cors_origins,
      refreshGraceSeconds: body.refresh_grace_seconds,
      refreshRetryElsewhere: body.refresh_retry_elsewhere,
      refreshTokenRotation: body.refresh_token_rotation,
      settings: readSettings(body),
    }).filter(([, value]) => value !== undefined),
  )

/** The same of a new client, where null is as good as unstated. */
export const readRegistration = (body: WireClientChange): Omit<ClientRegistration, 'name'> => {
  const { refreshGraceSeconds, name: _name, ...change } = readClientChange(body)
  return typeof refreshGraceSeconds === 'number' ? { ...change, refreshGraceSeconds } : change
}
