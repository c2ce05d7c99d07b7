import type { Origin, RecordedEvent } from '../audit/event.ts'
import type { AuditWriter } from '../audit/writer.ts'
import type { Outbound } from '../outbound/outbound.ts'
import { createClientSecret } from '../secrets/client-secret.ts'
import { createRegistrationToken, digestRegistrationToken } from '../secrets/registration-token.ts'
import { networkPrefix } from '../tokens/network-prefix.ts'
import { type Client, hasSecret } from './client.ts'
import { registeredMembers } from './client-change.ts'
import { createClientId } from './client-id.ts'
import type { RegisteredClient } from './client-registration.ts'
import { invalidMetadata, invalidRegistrationToken } from './registration-errors.ts'
import { checkSector } from './sector-identifier.ts'
import {
  type ClientMetadata,
  registerItself,
  type SelfRegistrationPolicy,
} from './self-registration-policy.ts'
import type { SelfRegistrationStore } from './self-registration-store.ts'

/** The client, and the secret that it is told this once. */
export type SelfRegistered = { readonly client: Client; readonly secret?: string }

/** Clients that register themselves (RFC 7591 §3). */
export type SelfRegistration = {
  /**
   * @param initialToken that an operator gave away; undefined: none was presented
   * @returns also the token by which the client manages its registration, shown this once
   * @throws {OAuthError} invalid_token, the same whatever is wrong with the token;
   *   invalid_redirect_uri and invalid_client_metadata, with all faults at once
   */
  register(
    metadata: ClientMetadata,
    initialToken: string | undefined,
    origin: Origin,
  ): Promise<SelfRegistered & { readonly accessToken: string }>
}

/** What registration and its management work with. */
export type SelfRegistrationOptions = {
  readonly store: SelfRegistrationStore
  readonly outbound: Pick<Outbound, 'send'>
  readonly policy: SelfRegistrationPolicy
  /** The issuer, for challenges. */
  readonly realm: string
  /** After the commit, before the answer: this node and the others learn that a client changed. */
  readonly announce: (clientId: string) => Promise<void>
}

type Options = SelfRegistrationOptions & {
  readonly audit: Pick<AuditWriter, 'recordOncePerMinute'>
  /** `open`: also without an initial token. */
  readonly mode: 'token' | 'open'
}

export const createSelfRegistration = (options: Options): SelfRegistration => {
  const { store, outbound, audit, policy, mode, realm, announce } = options

  const refuse = (token: string | undefined, origin: Origin) => {
    // Once a minute for each network: guessing must not fill the table.
    const type = 'client.registration_refused'
    audit.recordOncePerMinute(JSON.stringify([type, networkPrefix(origin.address)]), {
      ...{ type, outcome: 'failure', origin },
      details: { reason: token === undefined ? 'no_token' : 'invalid_token' },
    })
    return invalidRegistrationToken(realm, token !== undefined)
  }

  // Before anything is looked at or fetched for somebody who may not register at all.
  const admit = async (token: string | undefined, origin: Origin): Promise<Admission> => {
    if (token === undefined && mode === 'open') return { registeredBy: 'open' }
    const initial = token && digestRegistrationToken(token)
    if (!initial || !(await store.isUsable(initial))) throw refuse(token, origin)
    return { registeredBy: 'token', initial }
  }

  return {
    async register(metadata, token, origin) {
      const { registeredBy, initial } = await admit(token, origin)
      const result = registerItself(createClientId('app'), metadata, registeredBy, policy)
      if ('faults' in result) throw invalidMetadata(result.faults)
      const { client } = result
      await checkSector(outbound, client)

      const access = createRegistrationToken('management')
      const secret = hasSecret(client) ? createClientSecret() : undefined
      const outcome = await store.register(
        { ...client, registeredBy, builtIn: false, secretDigest: secret?.digest ?? null },
        access.digest,
        initial,
        describe(client, registeredBy, origin),
      )
      if (outcome === 'refused') throw refuse(token, origin)
      await announce(client.id)
      const registered = await store.find(client.id, access.digest)
      if (registered === undefined) throw refuse(token, origin)
      return { ...withSecret(registered, secret?.secret), accessToken: access.token }
    },
  }
}

type Admission = { readonly registeredBy: 'open' | 'token'; readonly initial?: Buffer }

const describe = (
  client: RegisteredClient,
  registeredBy: string,
  origin: Origin,
): RecordedEvent => ({
  ...{ type: 'client.registered', outcome: 'success', origin },
  ...{ actor: client.id, clientId: client.id },
  details: { registered_by: registeredBy, ...registeredMembers(client) },
})

export const withSecret = (client: Client, secret: string | undefined): SelfRegistered =>
  secret === undefined ? { client } : { client, secret }
