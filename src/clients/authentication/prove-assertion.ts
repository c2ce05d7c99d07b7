import type { Clock } from '../../clock.ts'
import type { OneTimeIds } from '../../secrets/one-time-ids.ts'
import { type AssertionTarget, judgeAssertion } from '../assertion-judgement.ts'
import type { Client } from '../client.ts'
import { type ClientJwt, clientKeyAlgorithms, isSignedByOneOf } from '../client-jwt.ts'
import type { ClientKeys } from '../client-keys.ts'
import { isSignedBySecret } from '../client-mac.ts'
import { maySignWith } from '../client-profiles.ts'
import type { SealedSecrets } from '../sealed-secrets.ts'
import type { Disproof, Proof, ProveClient } from './credentials.ts'

export type AssertionOptions = {
  readonly issuer: string
  readonly keys: ClientKeys
  readonly secrets: SealedSecrets
  readonly oneTimeIds: OneTimeIds
  readonly clock: Clock
}

/** By a key pair of the client's own (`private_key_jwt`). */
export const createProvePrivateKey =
  (options: AssertionOptions): ProveClient =>
  async (client, { assertion }) => {
    if (assertion === undefined) return { failure: 'wrong_method' }
    if (!isAlgorithmOf(client, assertion)) return { failure: 'wrong_algorithm' }
    return prove(options, client, assertion, async () => {
      const { keyId } = assertion
      const keys = await options.keys.find(
        client,
        ({ kid }) => keyId === undefined || kid === keyId,
      )
      return isSignedByOneOf(assertion, keys)
    })
  }

/** By the secret that both sides know (`client_secret_jwt`). */
export const createProveSharedSecret =
  (options: AssertionOptions): ProveClient =>
  async (client, { assertion }) => {
    if (assertion === undefined) return { failure: 'wrong_method' }
    if (assertion.algorithm !== 'HS256') return { failure: 'wrong_algorithm' }
    return prove(options, client, assertion, async () =>
      isSignedBySecret(assertion, options.secrets.open(client, options.clock())),
    )
  }

/** What it says is looked at first: it costs nothing, and a signature does. */
const prove = async (
  { issuer, oneTimeIds, clock }: AssertionOptions,
  client: Client,
  assertion: ClientJwt,
  isSigned: () => Promise<boolean>,
): Promise<Proof | Disproof> => {
  const judged = judgeAssertion(assertion, targetOf(client, issuer), clock())
  if ('fault' in judged) return { failure: judged.fault }
  if (!(await isSigned())) return { failure: 'wrong_signature' }
  const { tokenId, issuedAt, expiresAt } = judged
  const id = JSON.stringify([client.id, tokenId])
  return { use: () => oneTimeIds.use('client_assertion', id, issuedAt, expiresAt) }
}

const targetOf = (client: Client, issuer: string): AssertionTarget => ({
  ...{ clientId: client.id, issuer },
  otherAudiences: client.settings.assertionAudience === 'legacy' ? [`${issuer}/token`] : [],
})

/** The one that the client is registered with, or any that its keys are for. */
const isAlgorithmOf = (client: Client, { algorithm }: ClientJwt): boolean => {
  const { tokenEndpointAuthSigningAlg: only } = client.settings
  if (!clientKeyAlgorithms.some((known) => known === algorithm)) return false
  if (!maySignWith(client, algorithm)) return false
  return only === null || only === (algorithm === 'Ed25519' ? 'EdDSA' : algorithm)
}
