import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import { randomSecret } from './random.ts'

/**
 * Seals what must be read back: AES-256-GCM under a subkey of a key-encryption key. A sealed value
 * opens only in the context it was sealed for.
 */
export type Sealer = {
  /** Seals under the newest key-encryption key. @param context names the row, such as its id. */
  seal(plain: Uint8Array, context: string): Buffer
  /** @throws {SealError} with a sentence that says what is wrong and what to do. */
  open(sealed: Uint8Array, context: string): Buffer
  /** False when it is sealed under another than the newest key-encryption key. */
  isCurrent(sealed: Uint8Array): boolean
}

/** Sealed data cannot be opened. The message is for the operator and holds no secret. */
export class SealError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'SealError'
  }
}

type KeyEncryptionKey = { readonly id: Buffer; readonly key: KeyObject }

// version 1 B ‖ id of the key-encryption key 8 B ‖ salt 16 B ‖ nonce 12 B ‖ ciphertext ‖ tag 16 B
const version = 1
const saltStart = 9
const nonceStart = 25
const ciphertextStart = 37
const tagLength = 16

/**
 * @param keys key-encryption keys, 32 bytes each, newest first: the first one seals, all open.
 * @throws {SealError} when there is none.
 */
export const createSealer = (keys: readonly Buffer[]): Sealer => {
  const all = keys.map(describe)
  const newest = all[0]
  if (newest === undefined) {
    throw new SealError(
      'There is no key-encryption key: set KEY_ENCRYPTION_KEY or KEY_ENCRYPTION_KEY_FILE',
    )
  }
  return {
    seal: (plain, context) => seal(newest, Buffer.from(plain), context),
    open: (sealed, context) => open(all, Buffer.from(sealed), context),
    isCurrent: (sealed) => Buffer.from(sealed).subarray(1, saltStart).equals(newest.id),
  }
}

const describe = (bytes: Buffer): KeyEncryptionKey => {
  const key = createSecretKey(bytes)
  const id = hkdfSync('sha256', key, '', 'tessera key-encryption key id', saltStart - 1)
  return { id: Buffer.from(id), key }
}

// A salt for each value makes each subkey seal once, so no number of values repeats a nonce.
const deriveSubkey = (key: KeyObject, salt: Buffer): Buffer =>
  Buffer.from(hkdfSync('sha256', key, salt, 'tessera seal 1', 32))

const associatedData = (header: Buffer, context: string): Buffer =>
  Buffer.concat([header, Buffer.from(context, 'utf8')])

const seal = ({ id, key }: KeyEncryptionKey, plain: Buffer, context: string): Buffer => {
  const header = Buffer.concat([Buffer.of(version), id])
  const salt = randomSecret(nonceStart - saltStart)
  const nonce = randomSecret(ciphertextStart - nonceStart)
  const cipher = createCipheriv('aes-256-gcm', deriveSubkey(key, salt), nonce)
  cipher.setAAD(associatedData(header, context))
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([header, salt, nonce, ciphertext, cipher.getAuthTag()])
}

const open = (keys: readonly KeyEncryptionKey[], sealed: Buffer, context: string): Buffer => {
  if (sealed.length < ciphertextStart + tagLength || sealed[0] !== version) {
    throw new SealError(
      `${context} is not sealed in a form that this version knows: it is damaged, or a newer version wrote it`,
    )
  }
  const id = sealed.subarray(1, saltStart)
  const found = keys.find((candidate) => candidate.id.equals(id))
  if (found === undefined) {
    throw new SealError(
      `${context} is sealed under a key-encryption key that is not configured: add the key that was used before to KEY_ENCRYPTION_KEY (or the file that KEY_ENCRYPTION_KEY_FILE names), after the newest one, separated by a comma`,
    )
  }
  return decrypt(found.key, sealed, context)
}

const decrypt = (key: KeyObject, sealed: Buffer, context: string): Buffer => {
  const subkey = deriveSubkey(key, sealed.subarray(saltStart, nonceStart))
  const nonce = sealed.subarray(nonceStart, ciphertextStart)
  const decipher = createDecipheriv('aes-256-gcm', subkey, nonce, { authTagLength: tagLength })
  decipher.setAAD(associatedData(sealed.subarray(0, saltStart), context))
  decipher.setAuthTag(sealed.subarray(-tagLength))
  try {
    const plain = decipher.update(sealed.subarray(ciphertextStart, -tagLength))
    return Buffer.concat([plain, decipher.final()])
  } catch (cause) {
    throw new SealError(
      `${context} cannot be opened: the sealed data were changed, or belong to another row; restore them from a backup`,
      { cause },
    )
  }
}
