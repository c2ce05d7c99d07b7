import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { hmacSha256 } from '../secrets/digest.ts'

/** What people are called towards a client: `sub` (OpenID Connect Core §8). */
export type Subjects = {
  /** @param userId UUID @returns it, or what stands for it in the client's sector. */
  subjectOf(clientId: string, userId: string): Promise<string>
  /** The way back, for what the service itself has signed. */
  userOf(clientId: string, subject: string): Promise<string>
}

type Options = {
  /** The sector of a client with pairwise subjects; undefined: everybody has one name for all. */
  readonly sectorOf: (clientId: string) => Promise<string | undefined>
  /** 32 bytes that never change, or every person would become somebody else to every client. */
  readonly key: () => KeyObject
}

/**
 * Pairwise subjects (Core §8.1): HMAC of the sector gives a key of its own for each, under which one
 * AES block turns the 16 bytes of a user id into 16 others. Sectors cannot compare their people, no
 * two people of a sector share a name, and we find the person again without a table.
 */
export const createSubjects = ({ sectorOf, key }: Options): Subjects => ({
  async subjectOf(clientId, userId) {
    const sector = await sectorOf(clientId)
    return sector === undefined ? userId : encryptId(sectorKey(key(), sector), userId)
  },
  async userOf(clientId, subject) {
    if (subject === clientId || !pairwiseForm.test(subject)) return subject
    const sector = await sectorOf(clientId)
    return sector === undefined ? subject : decryptId(sectorKey(key(), sector), subject)
  },
})

// 16 bytes in base64url, which no user id looks like.
const pairwiseForm = /^[A-Za-z0-9_-]{22}$/

const sectorKey = (key: KeyObject, sector: string): Buffer =>
  hmacSha256(key, 'tessera pairwise subject 1\0', sector)

const encryptId = (key: Buffer, userId: string): string => {
  // One block, and never more under a mode that would need a nonce.
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  const block = Buffer.from(userId.replaceAll('-', ''), 'hex')
  return Buffer.concat([cipher.update(block), cipher.final()]).toString('base64url')
}

const decryptId = (key: Buffer, subject: string): string => {
  const decipher = createDecipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  const block = decipher.update(Buffer.from(subject, 'base64url'))
  const hex = Buffer.concat([block, decipher.final()]).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
