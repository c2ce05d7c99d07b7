import type { Origin } from '../audit/event.ts'
import type { AuditWriter } from '../audit/writer.ts'
import type { Clock } from '../clock.ts'
import { invalidRequest } from '../oauth/error.ts'
import { networkPrefix } from '../tokens/network-prefix.ts'
import { readClientAssertion } from './authentication/client-assertion.ts'
import { readClientSecretBasic } from './authentication/client-secret-basic.ts'
import { readClientSecretPost } from './authentication/client-secret-post.ts'
import type {
  ClientCredentials,
  ClientRequest,
  Disproof,
  Proof,
  ProveClient,
  ReadCredentials,
} from './authentication/credentials.ts'
import { readNone } from './authentication/none.ts'
import { provesSecret } from './authentication/prove-secret.ts'
import type { AuthenticationMethod, Client } from './client.ts'
import type { Clients } from './client-directory.ts'
import { isClientId } from './client-id.ts'
import { invalidClient } from './invalid-client.ts'

/** What can be seen of a request: the same looks may be those of several methods. */
type Look = 'client_secret_basic' | 'client_secret_post' | 'client_assertion' | 'client_id'

const readers: Readonly<Record<Look, ReadCredentials>> = {
  client_secret_basic: readClientSecretBasic,
  client_secret_post: readClientSecretPost,
  client_assertion: readClientAssertion,
  client_id: readNone,
}

const looks: Readonly<Record<AuthenticationMethod, Look>> = {
  none: 'client_id',
  client_secret_basic: 'client_secret_basic',
  client_secret_post: 'client_secret_post',
  client_secret_jwt: 'client_assertion',
  private_key_jwt: 'client_assertion',
  tls_client_auth: 'client_id',
  self_signed_tls_client_auth: 'client_id',
}

/** Finds out which client sends a request, and makes it prove that (RFC 6749 §2.3). */
export type ClientAuthenticator = {
  /**
   * @throws {OAuthError} invalid_client, the same for every wrong credential; invalid_request when
   *   two methods are used at once.
   * @throws {Unavailable} when the client cannot be looked up, or nobody knows whether what is good
   *   once has been used.
   */
  authenticate(request: ClientRequest, origin: Origin): Promise<Client>
}

/** Methods by which a client proves more than that it knows a secret. */
export type StrongMethods = Partial<Record<AuthenticationMethod, ProveClient>>

type ClientAuthenticatorOptions = {
  readonly clients: Pick<Clients, 'find'>
  /** Whether the revocations in memory say that a client is disabled; they know it first. */
  readonly isRevoked: (clientId: string) => boolean
  readonly clock: Clock
  readonly audit: Pick<AuditWriter, 'recordOncePerMinute'>
  /** Those that the configuration allows. */
  readonly strongMethods?: StrongMethods
}

type Attempt = ClientCredentials & { readonly look: Look }
type Judgement = (Proof & { readonly client: Client }) | Disproof

// A client that fails by what memory says is read once more, at most so often: its secret may
// have been rotated, or it may have been enabled, on another node a moment ago.
const secondLookAfterMs = 1000

export const createClientAuthenticator = ({
  clients,
  isRevoked,
  clock,
  audit,
  strongMethods = {},
}: ClientAuthenticatorOptions): ClientAuthenticator => {
  const judge = async (client: Client | undefined, attempt: Attempt): Promise<Judgement> => {
    // First of all, so that an unknown client costs the same work as a known one.
    const knowsSecret =
      attempt.secret === undefined || provesSecret(client, attempt.secret, clock())
    if (client === undefined) return { failure: 'unknown_client' }
    const { authenticationMethod: method } = client
    if (looks[method] !== attempt.look) return { failure: 'wrong_method' }
    const proof = await prove(client, attempt, knowsSecret)
    if ('failure' in proof) return proof
    const isDisabled = client.disabledAt !== null || isRevoked(client.id)
    return isDisabled ? { failure: 'disabled' } : { ...proof, client }
  }

  const prove = async (
    client: Client,
    attempt: Attempt,
    knowsSecret: boolean,
  ): Promise<Proof | Disproof> => {
    const { authenticationMethod: method } = client
    if (method === 'none') return {}
    if (attempt.secret !== undefined) return knowsSecret ? {} : { failure: 'wrong_secret' }
    const proveClient = strongMethods[method]
    return proveClient === undefined
      ? { failure: 'wrong_method' }
      : await proveClient(client, attempt)
  }

  // Once a minute for each client, reason and network: guessing must not fill the table, and who
  // has one IPv6 address has 2^64. The log of requests has every attempt.
  const record = ({ clientId, ...attempt }: Attempt, reason: string, origin: Origin): void => {
    const subject = reason === 'unknown_client' ? '' : clientId
    const type = 'client.authentication_failed'
    audit.recordOncePerMinute(
      JSON.stringify([type, reason, subject, networkPrefix(origin.address)]),
      {
        type,
        outcome: 'failure',
        ...(isClientId(clientId) ? { clientId } : {}),
        details: { reason, method: methodOf(attempt) },
        origin,
      },
    )
  }

  return {
    async authenticate(request, origin) {
      const attempt = readAttempt(request)
      const { clientId } = attempt
      let judged = await judge(await clients.find(clientId), attempt)
      if ('failure' in judged) {
        judged = await judge(await clients.find(clientId, secondLookAfterMs), attempt)
      }
      // Last of all: who could use up ids for others would keep them out.
      if ('client' in judged && judged.use !== undefined && !(await judged.use())) {
        judged = { failure: 'replayed' }
      }
      if ('client' in judged) return judged.client
      record(attempt, judged.failure, origin)
      throw invalidClient(judged.failure, attempt.look === 'client_secret_basic')
    },
  }
}

/** RFC 6749 §2.3: a request uses one method. */
const readAttempt = (request: ClientRequest): Attempt => {
  const attempts: Attempt[] = []
  for (const [look, read] of Object.entries(readers)) {
    const credentials = read(request)
    if (credentials) attempts.push({ ...credentials, look: look as Look })
  }
  const [attempt, second] = attempts
  if (second !== undefined) throw invalidRequest('Only one way of client authentication is allowed')
  if (attempt === undefined) throw invalidClient('the request names no client', false)
  return attempt
}

/** As which method an attempt looks, for the log. */
const methodOf = ({ look, assertion, certificate }: Omit<Attempt, 'clientId'>): string => {
  if (look === 'client_id') return certificate === undefined ? 'none' : 'tls_client_auth'
  if (look !== 'client_assertion') return look
  return assertion?.algorithm.startsWith('HS') ? 'client_secret_jwt' : 'private_key_jwt'
}
