import type { RawBuilder, Selectable } from 'kysely'
import type { Client } from '../../clients/client.ts'
import {
  type ClientSettings,
  defaultClientSettings,
  statedSettings,
} from '../../clients/client-settings.ts'
import type { NewClient } from '../../clients/client-store.ts'
import type { GrantType } from '../../oauth/grant-type.ts'
import type { Executor } from './database.ts'
import type { ClientRow } from './schema.ts'

/** Clients, oldest first, each with the secrets that have not expired. @param id of the only one. */
export const selectClients = async (
  executor: Executor,
  now: () => RawBuilder<Date>,
  id?: string,
): Promise<Client[]> => {
  const rows = await executor
    .selectFrom('clients as c')
    .leftJoin('client_secrets as s', (join) =>
      join
        .onRef('s.client_id', '=', 'c.id')
        .on((eb) => eb.or([eb('s.expires_at', 'is', null), eb('s.expires_at', '>', now())])),
    )
    .selectAll('c')
    .select(['s.digest', 's.sealed_secret', 's.expires_at as secret_expires_at'])
    .$if(id !== undefined, (query) => query.where('c.id', '=', id as string))
    .orderBy('c.created_at')
    .orderBy('c.id')
    .orderBy('s.created_at')
    .execute()
  return [...Map.groupBy(rows, (row) => row.id).values()].map(toClient)
}

type Row = Selectable<ClientRow> & {
  digest: Uint8Array | null
  sealed_secret: Uint8Array | null
  secret_expires_at: Date | null
}

/** One client from its rows, one for each secret. */
const toClient = (rows: Row[]): Client => {
  const [row] = rows as [Row, ...Row[]]
  return {
    id: row.id,
    name: row.name,
    authenticationMethod: row.authentication_method,
    grantTypes: row.grant_types as GrantType[],
    scope: row.scope,
    audience: row.audience,
    resourceServer: row.resource_server,
    redirectUris: row.redirect_uris,
    corsOrigins: row.cors_origins,
    refreshGraceSeconds: row.refresh_grace_seconds,
    refreshRetryElsewhere: row.refresh_retry_elsewhere,
    refreshTokenRotation: row.refresh_token_rotation,
    settings: toSettings(row.settings),
    registeredBy: row.registered_by,
    builtIn: row.built_in,
    disabledAt: row.disabled_at,
    createdAt: row.created_at,
    secretDigests: rows.flatMap(
      ({ digest, sealed_secret: sealed, secret_expires_at: expiresAt }) =>
        digest === null
          ? []
          : [
              {
                ...{ digest: Buffer.from(digest), expiresAt },
                ...(sealed === null ? {} : { sealed: Buffer.from(sealed) }),
              },
            ],
    ),
  }
}

export const toClientRow = (client: Omit<NewClient, 'secretDigest'>) => ({
  id: client.id,
  name: client.name,
  authentication_method: client.authenticationMethod,
  grant_types: [...client.grantTypes],
  scope: [...client.scope],
  audience: [...client.audience],
  resource_server: [...client.resourceServer],
  redirect_uris: [...client.redirectUris],
  cors_origins: [...client.corsOrigins],
  refresh_grace_seconds: client.refreshGraceSeconds,
  refresh_retry_elsewhere: client.refreshRetryElsewhere,
  refresh_token_rotation: client.refreshTokenRotation,
  settings: fromSettings(client.settings),
  registered_by: client.registeredBy,
  built_in: client.builtIn,
})

// Only what differs from its default is kept, by the names of RFC 7591.
const fromSettings = (settings: ClientSettings): string =>
  JSON.stringify(renameMembers(statedSettings(settings), toSnakeCase))

const toSettings = (stored: Record<string, unknown>): ClientSettings => ({
  ...defaultClientSettings,
  ...renameMembers(stored, toCamelCase),
})

const renameMembers = (object: object, rename: (name: string) => string) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [rename(name), value]))

const toSnakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const toCamelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
