import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import type { TestService } from '../../support/service.ts'
import { byOperator, createMachine, postForm } from './requests.ts'

type Service = Pick<TestService, 'app' | 'deps'>

export const jwtBearerGrantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
export const assertionIssuer = 'https://ci.example'

/** Somebody who asserts, and a client that presents it. */
export const startAsserting = async (service: Service, settings: object = {}) => {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'a', alg: 'ES256', use: 'sig' }] }
  const client = await createMachine(service.deps, {
    grantTypes: [jwtBearerGrantType],
    scope: ['deploy', 'read', 'account', 'openid'],
    audience: ['https://deploy.example', 'https://other.example'],
  })
  await service.deps.assertionIssuerAdministration.set(
    {
      ...{ issuer: assertionIssuer, jwks, clients: [client.id], subject: 'external' },
      ...{ audience: ['https://deploy.example'], scope: ['deploy', 'account', 'openid', 'more'] },
      ...settings,
    },
    byOperator,
  )
  const now = () => Math.floor(service.deps.clock().getTime() / 1000)

  /** @param claims members that differ; undefined leaves one out */
  const assert = (claims: JWTPayload = {}, header: object = {}, key = privateKey) =>
    new SignJWT({
      ...{ iss: assertionIssuer, sub: 'repo:a/b', aud: service.deps.config.issuer },
      ...{ jti: crypto.randomUUID(), iat: now(), exp: now() + 60, ...claims },
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'a', typ: 'JWT', ...header })
      .sign(key)

  const present = (assertion: string, form: object = {}, app = service.app) =>
    postForm(app, '/token', { grant_type: jwtBearerGrantType, assertion, ...form }, client.headers)

  return { client, jwks, now, assert, present }
}
