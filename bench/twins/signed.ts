/**
 * Fastify and one signature: what a client-credentials grant cannot do without.
 *
 *   signed.ts <algorithm> <bits of RSA keys>
 */
import type { SigningAlgorithm } from '../../src/oauth/algorithm.ts'
import { createFormServer, listen } from './form-server.ts'
import { createSignature } from './signature.ts'

const [algorithm, rsaModulusBits] = process.argv.slice(2)
const sign = await createSignature(algorithm as SigningAlgorithm, Number(rsaModulusBits))
await listen(await createFormServer(async () => ({ signature: await sign() })))
