import { type Client, isConfidential } from '../clients/client.ts'
import type { CheckedProof } from '../dpop/proofs.ts'
import { type Confirmation, formatConfirmation } from '../oauth/confirmation.ts'
import { invalidRequest, OAuthError } from '../oauth/error.ts'

/** The keys that a token request has proved to hold, each by its thumbprint. */
export type ProvenKeys = {
  /** By a DPoP proof (RFC 9449), with its algorithm. */
  readonly proof?: Pick<CheckedProof, 'jkt' | 'algorithm'> | undefined
  /** By its TLS connection (RFC 8705): SHA-256 of the client certificate. */
  readonly certificate?: string | undefined
}

/**
 * The key that the tokens of a request are bound to: what the client is registered for comes first,
 * and whoever proves a key without having to gets tokens for it.
 * @throws {OAuthError} when the client has to prove a key and does not
 */
export const chooseConfirmation = (
  { settings }: Pick<Client, 'settings'>,
  { proof, certificate }: ProvenKeys,
): Confirmation | undefined => {
  if (settings.dpopBoundAccessTokens && proof === undefined) {
    throw new OAuthError('invalid_dpop_proof', 'The client has to send a DPoP proof')
  }
  if (settings.tlsClientCertificateBoundAccessTokens && !settings.dpopBoundAccessTokens) {
    if (certificate !== undefined) return { 'x5t#S256': certificate }
    throw invalidRequest('The client has to connect with its certificate')
  }
  if (proof === undefined) return undefined
  // FAPI 2.0 Security Profile §5.4.1: no signatures by PKCS#1 v1.5.
  if (settings.profile === 'fapi2' && proof.algorithm === 'RS256') {
    throw new OAuthError('invalid_dpop_proof', 'The client must not sign proofs with RS256')
  }
  return { jkt: proof.jkt }
}

/**
 * What a new refresh-token family is bound to. Those of confidential clients are bound to the client,
 * which authenticates, and may change its key (RFC 9449 §5, RFC 8705 §4).
 */
export const familyConfirmationOf = (
  client: Pick<Client, 'authenticationMethod'>,
  confirmation: Confirmation | undefined,
): string | null =>
  confirmation === undefined || isConfidential(client) ? null : formatConfirmation(confirmation)
