import type { Origin, RecordedEvent } from '../audit/event.ts'
import { createClientSecret } from '../secrets/client-secret.ts'
import { digestRegistrationToken } from '../secrets/registration-token.ts'
import { type Client, hasSecret } from './client.ts'
import { changedMembers } from './client-change.ts'
import { isClientId } from './client-id.ts'
import { invalidMetadata, invalidRegistrationToken } from './registration-errors.ts'
import { checkSector } from './sector-identifier.ts'
import {
  type SelfRegistered,
  type SelfRegistrationOptions,
  withSecret,
} from './self-registration.ts'
import { type ClientMetadata, replaceItself } from './self-registration-policy.ts'
import type { Replacement, SecretChange } from './self-registration-store.ts'
import { isSecretOf } from './shared-secret.ts'

/**
 * Clients that registered themselves manage their registration (RFC 7592).
 * @throws {OAuthError} invalid_token, the same whatever is wrong with the token or the id;
 *   invalid_redirect_uri and invalid_client_metadata, with all faults at once
 */
export type RegistrationManagement = {
  read(id: string, accessToken: string | undefined): Promise<Client>
  /** As a whole: what the metadata leave out has its default. */
  replace(
    id: string,
    accessToken: string | undefined,
    metadata: ReplacedMetadata,
    origin: Origin,
  ): Promise<SelfRegistered>
  /** Ends all that the client was granted. */
  remove(id: string, accessToken: string | undefined, origin: Origin): Promise<void>
}

/** @property presentSecret which the client says it has; it must be right (RFC 7592 §2.2). */
export type ReplacedMetadata = ClientMetadata & { readonly presentSecret?: string }

export const createRegistrationManagement = (
  options: SelfRegistrationOptions,
): RegistrationManagement => {
  const { store, outbound, policy, realm, announce } = options

  const digestOf = (id: string, token: string | undefined): Buffer => {
    // What can be no client's id is not looked for.
    if (token !== undefined && isClientId(id)) return digestRegistrationToken(token)
    throw invalidRegistrationToken(realm, token !== undefined)
  }
  const orRefuse = <T>(found: T | undefined): T => {
    if (found === undefined) throw invalidRegistrationToken(realm, true)
    return found
  }
  const plan = (present: Client, { presentSecret, ...metadata }: ReplacedMetadata) => {
    if (presentSecret !== undefined && !isSecretOf(present, presentSecret)) {
      throw invalidMetadata([{ field: 'client_secret', message: 'is not the present one' }])
    }
    const result = replaceItself(present, metadata, policy)
    if ('faults' in result) throw invalidMetadata(result.faults)
    return { ...present, ...result.client }
  }

  return {
    async read(id, token) {
      return orRefuse(await store.find(id, digestOf(id, token)))
    },

    async replace(id, token, metadata, origin) {
      const digest = digestOf(id, token)
      // Nothing is fetched while the row is locked.
      await checkSector(outbound, plan(orRefuse(await store.find(id, digest)), metadata))
      const { secret, digest: secretDigest } = createClientSecret()
      let secrets: SecretChange = 'keep'
      const decide: Replacement = (present) => {
        const client = plan(present, metadata)
        secrets = secretsAfter(present, client, secretDigest)
        const details = { changed: changedMembers(present, client) }
        return { client, secrets, event: describe('client.updated', id, origin, details) }
      }
      orRefuse((await store.replace(id, digest, decide)) || undefined)
      await announce(id)
      const client = orRefuse(await store.find(id, digest))
      return withSecret(client, typeof secrets === 'object' ? secret : undefined)
    },

    async remove(id, token, origin) {
      const event = describe('client.deleted', id, origin)
      orRefuse((await store.remove(id, digestOf(id, token), event)) || undefined)
      await announce(id)
    },
  }
}

/** Who begins to prove itself by a secret gets one; who no longer does loses it. */
const secretsAfter = (present: Client, after: Client, digest: Buffer): SecretChange => {
  if (!hasSecret(after)) return 'drop'
  return hasSecret(present) ? 'keep' : { digest }
}

const describe = (
  type: RecordedEvent['type'],
  id: string,
  origin: Origin,
  details: RecordedEvent['details'] = {},
): RecordedEvent => ({ type, outcome: 'success', actor: id, clientId: id, details, origin })
