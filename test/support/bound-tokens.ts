import { randomUUID } from 'node:crypto'
import type { LightMyRequestResponse } from 'fastify'
import { hashOf, nonceOf, type ProofKey, type ProofParts, signProof } from './dpop.ts'
import type { TestService } from './service.ts'

type Node = Pick<TestService, 'app' | 'deps' | 'config'>

/** What a proof says of a request; claims that a test names come last. */
type Proven = ProofParts & {
  readonly method?: string
  readonly path: string
  readonly accessToken?: string
  readonly nonce?: string
}

/** A good proof, but for what a test makes otherwise. */
export const proveTo = (
  { deps, config }: Node,
  key: ProofKey,
  { method = 'POST', path, accessToken, nonce, header, claims }: Proven,
): string =>
  signProof(key, {
    ...(header === undefined ? {} : { header }),
    claims: {
      jti: randomUUID(),
      htm: method,
      htu: `${new URL(config.issuer).origin}${path}`,
      iat: Math.floor(deps.clock().getTime() / 1000),
      ...(accessToken === undefined ? {} : { ath: hashOf(accessToken) }),
      ...(nonce === undefined ? {} : { nonce }),
      ...claims,
    },
  })

/** A nonce of the service, as any answer to a proof gives one. */
export const takeNonce = async ({ app }: Pick<Node, 'app'>): Promise<string> =>
  nonceOf(
    await app.inject({
      method: 'POST',
      url: '/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded', dpop: 'x' },
      payload: 'grant_type=client_credentials',
    }),
  )

/** Asks for tokens with a proof of the key; undefined: without any. */
export const askWithKey = async (
  node: Node,
  form: Readonly<Record<string, string>>,
  key: ProofKey | undefined,
  headers: Readonly<Record<string, string>> = {},
): Promise<LightMyRequestResponse> => {
  const dpop = key && proveTo(node, key, { path: '/token', nonce: await takeNonce(node) })
  return node.app.inject({
    method: 'POST',
    url: '/token',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...headers,
      ...(dpop === undefined ? {} : { dpop }),
    },
    payload: new URLSearchParams(form).toString(),
  })
}

/** Presents an access token of ours with a proof for it. */
export const presentWithKey = (
  node: Node,
  key: ProofKey,
  accessToken: string,
  path = '/auth/me',
): Promise<LightMyRequestResponse> =>
  node.app.inject({
    url: path,
    headers: {
      authorization: `DPoP ${accessToken}`,
      dpop: proveTo(node, key, { method: 'GET', path, accessToken }),
    },
  })
