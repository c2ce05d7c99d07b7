import type { SigningAlgorithm } from '../oauth/algorithm.ts'
import type { RingKey } from './lifecycle.ts'

/** A signing key as it is stored. Times are the database's. */
export type StoredSigningKey = RingKey & { readonly sealedPrivateKey: Buffer }

export type NewSigningKey = {
  /** RFC 7638 thumbprint. */
  readonly keyId: string
  readonly algorithm: SigningAlgorithm
  readonly publicJwk: Readonly<Record<string, unknown>>
  readonly sealedPrivateKey: Buffer
}

/** Who caused a change, for the audit; nobody when the service did it by itself. */
export type KeyActor = {
  readonly actor?: string
  readonly origin: {
    readonly requestId?: string
    readonly address?: string
    readonly userAgent?: string
  }
}

export type Rotation = {
  readonly algorithm: SigningAlgorithm
  readonly retire: string
  readonly promote: string
  readonly next: NewSigningKey
  /** In how many seconds `promote` takes over from `retire`. */
  readonly leadSeconds: number
  /** How long `promote` must have been published. */
  readonly publicationSeconds: number
  /** How long no node must have objected to `promote`. */
  readonly objectionSeconds: number
  /** How long `retire` stays published after that. */
  readonly retentionSeconds: number
}

export type Changeover = {
  /** When the promoted key takes over. */
  readonly signFrom: Date
  /** When the retired one is dropped. */
  readonly dropAfter: Date
}

export type SigningKeyStore = {
  /** All keys that are not gone, and the database's present time. */
  list(): Promise<{ now: Date; keys: StoredSigningKey[] }>
  /**
   * Inserts the keys whose place in their ring is still free, all in one transaction.
   * @param keys `signAfterSeconds` null: a next key, which waits to be promoted; others sign at
   *   once where a ring has had keys, and lost them
   */
  insertMissing(
    keys: readonly { readonly key: NewSigningKey; readonly signAfterSeconds: number | null }[],
    actor: KeyActor,
  ): Promise<void>
  /**
   * Retires, promotes and inserts, in one transaction, only from exactly the expected state.
   * @returns undefined when the state was another and nothing was done.
   */
  rotate(rotation: Rotation, actor: KeyActor): Promise<Changeover | undefined>
  /** Says that this node cannot open keys that wait, so that they do not sign yet. */
  object(keyIds: readonly string[]): Promise<void>
  /** Replaces a sealed key that is still `from`. @returns false when it is not. */
  reseal(keyId: string, from: Buffer, to: Buffer, actor: KeyActor): Promise<boolean>
}

/** A key that authenticates refresh tokens, as it is stored. */
export type StoredMacKey = {
  /** 1 to 255. */
  readonly number: number
  readonly sealedKey: Buffer
  readonly publishedAt: Date
  /** Put off while a node says that it cannot open the key. */
  readonly useFrom: Date
  /** When no token that it made can be good any more; null while it is the newest. */
  readonly dropAfter: Date | null
}

export type NewMacKey = {
  readonly number: number
  readonly sealedKey: Buffer
  /** In how many seconds it is used: by then every node must have loaded it. */
  readonly useAfterSeconds: number
  /** For how long the tokens that earlier keys make until then may be good. */
  readonly retentionSeconds: number
}

export type MacKeyStore = {
  /** All keys that are not dropped, lowest number first, and the database's present time. */
  list(): Promise<{ now: Date; keys: StoredMacKey[] }>
  /**
   * Inserts a key whose number is still free; the earlier ones get their end.
   * @returns its `useFrom`; undefined when the number was taken and nothing was done.
   */
  insert(key: NewMacKey, actor: KeyActor): Promise<Date | undefined>
  /** Says that this node cannot open keys: those that wait are not used for so many seconds more. */
  putOff(numbers: readonly number[], seconds: number): Promise<void>
  /** Replaces a sealed key that is still `from`. @returns false when it is not. */
  reseal(number: number, from: Buffer, to: Buffer, actor: KeyActor): Promise<boolean>
}

export type Promotion = {
  readonly algorithm: SigningAlgorithm
  /** The key that is revoked. */
  readonly revoke: string
  /** Takes the place of the next key, which signs at once. */
  readonly next: NewSigningKey
}

export type Replacement = {
  /** Keys that must still be published: when they are not, somebody else has replaced them. */
  readonly expected: readonly string[]
  /** Sign at once. */
  readonly signers: readonly NewSigningKey[]
  readonly nexts: readonly NewSigningKey[]
  readonly macKey: NewMacKey
  /** Whether refresh tokens of the former MAC keys go on being accepted. */
  readonly keepMacKeys: boolean
}

/** Acts of an emergency: each in one transaction, with `kid` entries for what it revokes. */
export type KeyEmergencyStore = {
  /** Drops a key and lets the next in line sign, both at once. @returns false when it was gone. */
  promoteNext(promotion: Promotion, actor: KeyActor): Promise<boolean>
  /** Drops every signing key. @returns false when the keys were others and nothing was done. */
  replaceAll(replacement: Replacement, actor: KeyActor): Promise<boolean>
}
