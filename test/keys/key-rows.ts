import type { NewSigningKey, Rotation } from '../../src/keys/key-store.ts'
import type { SigningAlgorithm } from '../../src/oauth/algorithm.ts'

/** A key for stores, which look neither at what is sealed nor at what is public. */
export const newKey = (keyId: string, algorithm: SigningAlgorithm = 'ES256'): NewSigningKey => ({
  keyId,
  algorithm,
  publicJwk: { kty: 'EC' },
  sealedPrivateKey: Buffer.from(`sealed ${keyId}`),
})

/** From `a`, which signs, to `b`, which waits. */
export const rotation: Rotation = {
  algorithm: 'ES256',
  retire: 'a',
  promote: 'b',
  next: newKey('c'),
  leadSeconds: 10,
  publicationSeconds: 100,
  objectionSeconds: 20,
  retentionSeconds: 50,
}
