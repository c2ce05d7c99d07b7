import { algorithms } from '../../src/keys/algorithms.ts'
import type { SigningAlgorithm } from '../../src/oauth/algorithm.ts'

/** As many bytes as header and claims of an access token have. */
const signingInput = 'x'.repeat(500)

/** Signs as the service does: with the same code and a key of the same size. */
export const createSignature = async (
  algorithm: SigningAlgorithm,
  rsaModulusBits: number,
): Promise<() => Promise<string>> => {
  const { generate, createSign } = algorithms[algorithm]
  const sign = createSign((await generate(rsaModulusBits)).privateKey)
  return async () => (await sign(signingInput)).toString('base64url')
}
