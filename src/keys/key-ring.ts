import type { KeyObject } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { type SigningAlgorithm, signingAlgorithms } from '../oauth/algorithm.ts'
import { Unavailable } from '../oauth/unavailable.ts'
import type { Sealer } from '../secrets/sealer.ts'
import { ensureSigningKeys } from './first-keys.ts'
import { createJwks, type Jwks } from './jwks.ts'
import type { SigningKeyStore } from './key-store.ts'
import { findCurrent, type RingKey, stateOf } from './lifecycle.ts'
import { keyReloadIntervalMs } from './rotation-policy.ts'
import { type OpenedKey, openSigningKey } from './signing-key.ts'

/** Signs with the keys in memory and publishes their public halves; a signature runs no SQL. */
export type KeyRing = {
  /** @returns a compact JWS. @throws {Unavailable} while no key of the algorithm signs. */
  sign(algorithm: SigningAlgorithm, typ: string, claims: object): Promise<string>
  jwks(): Jwks
  /** A key that is published. An unknown id is looked for in the database, for the next time. */
  verificationKey(
    keyId: string,
  ): { readonly algorithm: SigningAlgorithm; readonly key: KeyObject } | undefined
  /** Those that can sign now. */
  algorithms(): SigningAlgorithm[]
  /** Reads the keys again. A failure is logged; the keys in memory stay. */
  reload(): Promise<void>
  /**
   * Makes the keys that are missing, proves that all can be opened, and keeps them up to date.
   * @throws {SealError} with a sentence that says what to do.
   */
  start(): Promise<void>
  close(): void
}

export type KeyRingOptions = {
  readonly store: SigningKeyStore
  readonly sealer: Sealer
  /** Synchronised with the database. */
  readonly clock: Clock
  readonly logger: { error(details: object, message: string): void }
  /** Size of new RS256 and PS256 keys. */
  readonly rsaModulusBits: number
  readonly reloadIntervalMs?: number
}

type LoadedKey = RingKey & OpenedKey & { readonly sealedPrivateKey: Buffer }

const unknownKeyIntervalMs = 5000

export const createKeyRing = (options: KeyRingOptions): KeyRing => {
  const { store, sealer, clock, logger } = options
  let keys: ReadonlyMap<string, LoadedKey> = new Map()
  let published = createJwks([])
  let databaseTime = new Date(0)
  let loads = 0
  let appliedLoad = 0
  let lastLookup = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined

  // The database was at `databaseTime` already, whatever the clock says.
  const now = (): Date => new Date(Math.max(clock().getTime(), databaseTime.getTime()))

  const publish = (): void => {
    published = createJwks([...keys.values()].filter((key) => stateOf(key, now()) !== 'gone'))
  }

  const open = async (row: Parameters<typeof openSigningKey>[0] & RingKey): Promise<LoadedKey> => {
    const known = keys.get(row.keyId)
    const opened = known?.sealedPrivateKey.equals(row.sealedPrivateKey)
      ? known
      : await openSigningKey(row, sealer)
    return { ...opened, ...row }
  }

  /** @param onUnopened what to do with a key that cannot be opened. */
  const load = async (onUnopened: (error: unknown) => void): Promise<void> => {
    loads += 1
    const load = loads
    const listed = await store.list()
    const results = await Promise.allSettled(listed.keys.map(open))
    const opened = results.flatMap((result) => {
      if (result.status === 'fulfilled') return [result.value]
      onUnopened(result.reason)
      return []
    })
    // Of two loads at once the one that began later knows more.
    if (load < appliedLoad) return
    appliedLoad = load
    keys = new Map(opened.map((key) => [key.keyId, key]))
    databaseTime = listed.now
    publish()
  }

  const reload = async (): Promise<void> => {
    try {
      await load((error) => logger.error({ err: error }, 'a signing key cannot be opened'))
    } catch (error) {
      logger.error({ err: error }, 'the signing keys could not be read again')
      publish()
    }
  }

  const lookForUnknownKey = (): void => {
    if (performance.now() - lastLookup < unknownKeyIntervalMs) return
    lastLookup = performance.now()
    void reload()
  }

  return {
    sign: async (algorithm, typ, claims) => {
      const key = findCurrent([...keys.values()], algorithm, now())
      if (key === undefined) throw new Unavailable(`no ${algorithm} key signs yet`)
      return key.signJwt(typ, claims)
    },
    jwks: () => published,
    verificationKey: (keyId) => {
      const key = keys.get(keyId)
      if (key === undefined) lookForUnknownKey()
      if (key === undefined || stateOf(key, now()) === 'gone') return undefined
      return { algorithm: key.algorithm, key: key.publicKey }
    },
    algorithms: () =>
      signingAlgorithms.filter((algorithm) => findCurrent([...keys.values()], algorithm, now())),
    reload,
    start: async () => {
      await ensureSigningKeys(store, sealer, options.rsaModulusBits)
      await load((error) => {
        throw error
      })
      timer = setInterval(() => void reload(), options.reloadIntervalMs ?? keyReloadIntervalMs)
      timer.unref()
    },
    close: () => clearInterval(timer),
  }
}
