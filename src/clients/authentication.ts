import type { Origin } from '../audit/event.ts'
import type { AuditWriter } from '../audit/writer.ts'
import type { Clock } from '../clock.ts'
import { invalidRequest } from '../oauth/error.ts'
import { digestClientSecret } from '../secrets/client-secret.ts'
import { equalInConstantTime } from '../secrets/digest.ts'
import { networkPrefix } from '../tokens/network-prefix.ts'
import { readClientSecretBasic } from './authentication/client-secret-basic.ts'
import { readClientSecretPost } from './authentication/client-secret-post.ts'
import type {
  ClientCredentials,
  ClientRequest,
  ReadCredentials,
} from './authentication/credentials.ts'
import { readNone } from './authentication/none.ts'
import type { AuthenticationMethod, Client } from './client.ts'
import type { Clients } from './client-directory.ts'
import { isClientId } from './client-id.ts'
import { invalidClient } from './invalid-client.ts'

const methods: Readonly<Record<AuthenticationMethod, ReadCredentials>> = {
  client_secret_basic: readClientSecretBasic,
  client_secret_post: readClientSecretPost,
  none: readNone,
}

/** Finds out which client sends a request, and makes it prove that (RFC 6749 §2.3). */
export type ClientAuthenticator = {
  /**
   * @throws {OAuthError} invalid_client, the same for every wrong credential; invalid_request when
   *   two methods are used at once.
   * @throws {Unavailable} when the client cannot be looked up.
   */
  authenticate(request: ClientRequest, origin: Origin): Promise<Client>
}

type ClientAuthenticatorOptions = {
  readonly clients: Pick<Clients, 'find'>
  /** Whether the revocations in memory say that a client is disabled; they know it first. */
  readonly isRevoked: (clientId: string) => boolean
  readonly clock: Clock
  readonly audit: Pick<AuditWriter, 'recordOncePerMinute'>
}

type Attempt = ClientCredentials & { readonly method: AuthenticationMethod }
type Failure = 'unknown_client' | 'wrong_method' | 'wrong_secret' | 'disabled'

// A client that fails by what memory says is read once more, at most so often: its secret may
// have been rotated, or it may have been enabled, on another node a moment ago.
const secondLookAfterMs = 1000

export const createClientAuthenticator = ({
  clients,
  isRevoked,
  clock,
  audit,
}: ClientAuthenticatorOptions): ClientAuthenticator => {
  const judge = (client: Client | undefined, attempt: Attempt): Client | Failure => {
    // First of all, so that an unknown client costs the same work as a known one.
    const proven = provesSecret(client, attempt, clock())
    if (client === undefined) return 'unknown_client'
    if (client.authenticationMethod !== attempt.method) return 'wrong_method'
    if (!proven) return 'wrong_secret'
    return client.disabledAt !== null || isRevoked(client.id) ? 'disabled' : client
  }

  // Once a minute for each client, reason and network: guessing must not fill the table, and who
  // has one IPv6 address has 2^64. The log of requests has every attempt.
  const record = ({ clientId, method }: Attempt, reason: Failure, origin: Origin): void => {
    const subject = reason === 'unknown_client' ? '' : clientId
    const type = 'client.authentication_failed'
    audit.recordOncePerMinute(
      JSON.stringify([type, reason, subject, networkPrefix(origin.address)]),
      {
        type,
        outcome: 'failure',
        ...(isClientId(clientId) ? { clientId } : {}),
        details: { reason, method },
        origin,
      },
    )
  }

  return {
    async authenticate(request, origin) {
      const attempt = readAttempt(request)
      const { clientId } = attempt
      let judged = judge(await clients.find(clientId), attempt)
      if (typeof judged === 'string') {
        judged = judge(await clients.find(clientId, secondLookAfterMs), attempt)
      }
      if (typeof judged !== 'string') return judged
      record(attempt, judged, origin)
      throw invalidClient(judged, attempt.method === 'client_secret_basic')
    },
  }
}

/** RFC 6749 §2.3: a request uses one method. */
const readAttempt = (request: ClientRequest): Attempt => {
  const attempts: Attempt[] = []
  for (const [method, read] of Object.entries(methods)) {
    const credentials = read(request)
    if (credentials) attempts.push({ ...credentials, method: method as AuthenticationMethod })
  }
  const [attempt, second] = attempts
  if (second !== undefined) throw invalidRequest('Only one way of client authentication is allowed')
  if (attempt === undefined) throw invalidClient('the request names no client', false)
  return attempt
}

const absentSecret = [{ digest: digestClientSecret(''), expiresAt: null }]

/** Compares with every live secret, so that the time does not tell which one it was. */
const provesSecret = (client: Client | undefined, attempt: Attempt, now: Date): boolean => {
  if (attempt.secret === undefined) return client !== undefined
  const presented = digestClientSecret(attempt.secret)
  const live = client?.secretDigests.filter(({ expiresAt }) => !expiresAt || expiresAt > now) ?? []
  let equal = false
  for (const { digest } of live.length > 0 ? live : absentSecret) {
    if (equalInConstantTime(presented, digest)) equal = true
  }
  return equal && live.length > 0
}
