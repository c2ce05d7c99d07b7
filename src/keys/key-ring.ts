import type { KeyObject } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { type SigningAlgorithm, signingAlgorithms } from '../oauth/algorithm.ts'
import { Unavailable } from '../oauth/unavailable.ts'
import type { Sealer } from '../secrets/sealer.ts'
import { ensureSigningKeys } from './first-keys.ts'
import { createJwks, type Jwks } from './jwks.ts'
import type { SigningKeyStore } from './key-store.ts'
import { findCurrent, stateOf } from './lifecycle.ts'
import { createLoadedKeys, type LoadedKey } from './loaded-keys.ts'
import { nextRotationAt, type Schedule } from './schedule.ts'

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
  /** How old the key of each algorithm is that signs now, and when it is replaced. */
  ages(): KeyAge[]
  /** Reads the keys again. A failure is logged; the keys in memory stay. */
  reload(): Promise<void>
  /**
   * Makes the keys that are missing, proves that all can be opened, and keeps them up to date.
   * @throws {SealError} with a sentence that says what to do.
   */
  start(): Promise<void>
  close(): void
}

export type KeyAge = {
  readonly algorithm: SigningAlgorithm
  readonly keyId: string
  /** Since it began to sign. */
  readonly ageSeconds: number
  /** When its successor signs; undefined while that is not planned. */
  readonly nextRotationAt: Date | undefined
}

export type KeyRingOptions = {
  readonly store: SigningKeyStore
  readonly sealer: Sealer
  /** Synchronised with the database. */
  readonly clock: Clock
  readonly logger: { error(details: object, message: string): void }
  /** Size of new RS256 and PS256 keys. */
  readonly rsaModulusBits: number
  readonly schedule: Schedule
  /** Whether a key was revoked in an emergency: it signs no more, and is published no more. */
  readonly isRevoked: (keyId: string) => boolean
  readonly reloadIntervalMs?: number
}

const unknownKeyIntervalMs = 5000

export const createKeyRing = (options: KeyRingOptions): KeyRing => {
  const { store, sealer, clock, logger, schedule } = options
  const keys = createLoadedKeys(store, sealer, clock)
  let published = createJwks([])
  let lastLookup = Number.NEGATIVE_INFINITY
  let fetching: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  const isPublished = (key: LoadedKey): boolean =>
    stateOf(key, keys.now()) !== 'gone' && !options.isRevoked(key.keyId)
  const signerOf = (algorithm: SigningAlgorithm): LoadedKey | undefined =>
    findCurrent(keys.all().filter(isPublished), algorithm, keys.now())

  const load = async (onUnopened: (error: unknown, keyId: string) => void): Promise<void> => {
    try {
      await keys.load(onUnopened)
    } finally {
      // Without the database too, keys are dropped when their time has come.
      published = createJwks(keys.all().filter(isPublished))
    }
  }

  const reload = async (): Promise<void> => {
    try {
      const unopened: string[] = []
      await load((error, keyId) => {
        logger.error({ err: error }, 'a signing key cannot be opened')
        unopened.push(keyId)
      })
      await store.object(unopened.filter((keyId) => keys.find(keyId) === undefined))
    } catch (error) {
      logger.error({ err: error }, 'the signing keys could not be read again')
    }
  }

  // Tokens with invented key ids must not become SQL.
  const lookForUnknownKey = (): void => {
    if (performance.now() - lastLookup < unknownKeyIntervalMs) return
    lastLookup = performance.now()
    void reload()
  }

  // However many signatures wait for it.
  const fetchSuccessor = (): Promise<void> => {
    fetching ??= reload().finally(() => {
      fetching = undefined
    })
    return fetching
  }

  // After an emergency the news of the revoked key may be here before its successor is.
  const findSigner = async (algorithm: SigningAlgorithm): Promise<LoadedKey | undefined> => {
    const key = signerOf(algorithm)
    const isRevoked = (each: LoadedKey) =>
      each.algorithm === algorithm && options.isRevoked(each.keyId)
    if (key !== undefined || !keys.all().some(isRevoked)) return key
    await fetchSuccessor()
    return signerOf(algorithm)
  }

  return {
    sign: async (algorithm, typ, claims) => {
      const key = await findSigner(algorithm)
      if (key === undefined) throw new Unavailable(`no ${algorithm} key signs yet`)
      return key.signJwt(typ, claims)
    },
    jwks: () => published,
    verificationKey: (keyId) => {
      const key = keys.find(keyId)
      if (key === undefined) lookForUnknownKey()
      if (key === undefined || !isPublished(key)) return undefined
      return { algorithm: key.algorithm, key: key.publicKey }
    },
    algorithms: () => signingAlgorithms.filter(signerOf),
    ages: () =>
      signingAlgorithms.flatMap((algorithm) => {
        const key = signerOf(algorithm)
        if (!key?.signFrom) return []
        const ageSeconds = (keys.now().getTime() - key.signFrom.getTime()) / 1000
        const planned = key.signUntil ?? nextRotationAt(keys.all(), algorithm, schedule)
        return [{ algorithm, keyId: key.keyId, ageSeconds, nextRotationAt: planned }]
      }),
    reload,
    start: async () => {
      await ensureSigningKeys(store, sealer, options.rsaModulusBits, schedule.timing)
      await load((error) => {
        throw error
      })
      const intervalMs = options.reloadIntervalMs ?? schedule.timing.nodeReloadSeconds * 1000
      timer = setInterval(() => void reload(), intervalMs)
      timer.unref()
    },
    close: () => clearInterval(timer),
  }
}
