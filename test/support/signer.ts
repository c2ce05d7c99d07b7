import {
  CompactSign,
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWSHeaderParameters,
} from 'jose'

/** A client's own key pair. */
export type Signer = {
  readonly algorithm: string
  readonly keyId: string
  /** As the client registers or publishes it. */
  readonly jwk: JWK
  readonly privateKey: CryptoKey
  /** @param header in place of `alg` and `kid` */
  sign(claims: object, header?: Partial<JWSHeaderParameters>): Promise<string>
}

export const createSigner = async (algorithm = 'ES256'): Promise<Signer> => {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
  const jwk = await exportJWK(publicKey)
  const keyId = await calculateJwkThumbprint(jwk)
  return {
    algorithm,
    keyId,
    jwk: { ...jwk, kid: keyId },
    privateKey,
    sign: (claims, header = {}) =>
      new CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader({ alg: algorithm, kid: keyId, ...header })
        .sign(privateKey),
  }
}

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The claims of an assertion that proves a client. */
export const assertionClaims = (clientId: string, issuer: string, now = Date.now()) => {
  const seconds = Math.floor(now / 1000)
  return {
    ...{ iss: clientId, sub: clientId, aud: issuer as unknown },
    ...{ jti: crypto.randomUUID(), iat: seconds, exp: seconds + 60 },
  }
}
