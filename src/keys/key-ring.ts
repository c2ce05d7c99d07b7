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
import { keyReloadIntervalMs } from './rotation-policy.ts'

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

const unknownKeyIntervalMs = 5000

export const createKeyRing = (options: KeyRingOptions): KeyRing => {
  const { store, sealer, clock, logger } = options
  const keys = createLoadedKeys(store, sealer, clock)
  let published = createJwks([])
  let lastLookup = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined

  const isPublished = (key: LoadedKey): boolean => stateOf(key, keys.now()) !== 'gone'

  const load = async (onUnopened: (error: unknown) => void): Promise<void> => {
    try {
      await keys.load(onUnopened)
    } finally {
      // Without the database too, keys are dropped when their time has come.
      published = createJwks(keys.all().filter(isPublished))
    }
  }

  const reload = async (): Promise<void> => {
    try {
      await load((error) => logger.error({ err: error }, 'a signing key cannot be opened'))
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

  return {
    sign: async (algorithm, typ, claims) => {
      const key = findCurrent(keys.all(), algorithm, keys.now())
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
    algorithms: () =>
      signingAlgorithms.filter((algorithm) => findCurrent(keys.all(), algorithm, keys.now())),
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
