import type { JWK } from 'jose'
import type { Outbound } from '../outbound/outbound.ts'
import type { Client } from './client.ts'

/** The public keys of clients: those that are registered, or those that they publish. */
export type ClientKeys = {
  /**
   * @param isSought tells whether a key is looked for; when none is, keys that were fetched before
   *   are fetched again, but not too often. Without it, those that are known will do.
   * @returns none when there are none, or when they cannot be had; never rejects
   */
  find(client: Pick<Client, 'settings'>, isSought?: (key: JWK) => boolean): Promise<readonly JWK[]>
}

type Options = {
  readonly outbound: Outbound
  /** Told when keys cannot be fetched. */
  readonly onFailure?: (url: string, reason: string) => void
  /** Milliseconds of a clock that never goes back. */
  readonly uptimeMs?: () => number
}

type Entry = {
  readonly keys: readonly JWK[]
  readonly fetchedAt: number
  readonly attemptedAt: number
}

const freshForMs = 5 * 60_000
/** While they cannot be fetched; a key that its owner has withdrawn is believed no longer. */
const staleForMs = 60 * 60_000
/** Between two attempts, whoever asks: for a key that is not there anybody can ask. */
const attemptEveryMs = 10_000
const mostUrls = 1000
const mostKeys = 50
const mediaTypes = ['application/json', 'application/jwk-set+json']

export const createClientKeys = ({
  outbound,
  onFailure = () => {},
  uptimeMs = () => performance.now(),
}: Options): ClientKeys => {
  const entries = new Map<string, Entry>()
  const fetching = new Map<string, Promise<Entry>>()

  const remember = (url: string, entry: Entry): Entry => {
    entries.delete(url)
    entries.set(url, entry)
    const [oldest] = entries.keys()
    if (entries.size > mostUrls && oldest !== undefined) entries.delete(oldest)
    return entry
  }
  const fetchNow = async (url: string): Promise<Entry> => {
    const outcome = await outbound.send({ url, mediaTypes })
    const keys = outcome.ok ? readKeys(outcome.body) : undefined
    const now = uptimeMs()
    if (keys !== undefined) return remember(url, { keys, fetchedAt: now, attemptedAt: now })
    onFailure(url, outcome.ok ? 'not_a_key_set' : outcome.reason)
    const { keys: known = [], fetchedAt = Number.NEGATIVE_INFINITY } = entries.get(url) ?? {}
    return remember(url, { keys: known, fetchedAt, attemptedAt: now })
  }
  // One at a time for each URL, whoever waits for it.
  const fetchOnce = (url: string): Promise<Entry> => {
    const running = fetching.get(url) ?? fetchNow(url).finally(() => fetching.delete(url))
    fetching.set(url, running)
    return running
  }
  const load = async (url: string, isSought?: (key: JWK) => boolean): Promise<Entry> => {
    const entry = entries.get(url)
    if (entry === undefined) return fetchOnce(url)
    const now = uptimeMs()
    const isEnough =
      now - entry.fetchedAt < freshForMs && (isSought === undefined || entry.keys.some(isSought))
    return isEnough || now - entry.attemptedAt < attemptEveryMs ? entry : fetchOnce(url)
  }

  return {
    async find({ settings: { jwks, jwksUri } }, isSought) {
      if (jwks !== null) return jwks.keys
      if (jwksUri === null) return []
      const { keys, fetchedAt } = await load(jwksUri, isSought)
      return uptimeMs() - fetchedAt < staleForMs ? keys : []
    },
  }
}

/** Members that are no keys are passed over, as are keys of kinds that nobody knows (RFC 7517 §5). */
const readKeys = (body: Buffer): readonly JWK[] | undefined => {
  try {
    const { keys } = JSON.parse(body.toString()) as { keys?: unknown }
    return Array.isArray(keys) ? keys.filter(isKey).slice(0, mostKeys) : undefined
  } catch {
    return undefined
  }
}

const isKey = (value: unknown): value is JWK =>
  typeof value === 'object' && value !== null && 'kty' in value
