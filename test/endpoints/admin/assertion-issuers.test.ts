import { test } from 'tap'
import { isDone, isProblem } from '../auth/api.ts'
import { startAdminApi } from './admin-api.ts'

const url = '/admin/assertion-issuers'
const issuer = {
  issuer: 'https://ci.example/a',
  jwks_uri: 'https://ci.example/jwks.json',
  clients: ['deployer'],
  audience: ['https://deploy.example'],
  scope: ['deploy'],
  subject: 'external',
}
const defaults = { jwks: null, assertion_audience: 'issuer', max_lifetime_seconds: 300 }

test('issuers of assertions as administrators manage them', async (t) => {
  const api = await startAdminApi(t)
  const { token } = await api.joinAdmin()
  const put = (body: object) => api.put(url, body, token)

  await t.test('one is created, replaced, listed and removed', async (t) => {
    for (const scope of [['x'], issuer.scope]) {
      const { status, json } = await put({ ...issuer, scope })
      t.strictSame([status, json], [200, { ...issuer, ...defaults, scope }])
    }
    t.strictSame((await api.get(url, token)).json, { issuers: [{ ...issuer, ...defaults }] })
    const its = `${url}/${encodeURIComponent(issuer.issuer)}`
    isDone(t, await api.delete(its, token))
    isProblem(t, await api.delete(its, token), 'not_found')
    t.strictSame((await api.get(url, token)).json, { issuers: [] })
  })

  const oneKeySet = { field: 'jwks', message: 'or jwks_uri is needed, and not both' }
  const soundKeys = {
    field: 'jwks',
    message:
      'must hold 1 to 20 public keys for signatures: RSA of 2048 to 8192 bits, P-256 or Ed25519',
  }
  const { jwks_uri: _uri, ...keyless } = issuer
  const refused: Record<
    string,
    readonly [body: object, ...faults: { field: string; message: string }[]]
  > = {
    'no keys': [keyless, oneKeySet],
    'keys twice': [{ ...issuer, jwks: { keys: [] } }, oneKeySet, soundKeys],
    'a secret key': [
      { ...keyless, jwks: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'x', d: 'd' }] } },
      soundKeys,
    ],
    'a shared key': [{ ...keyless, jwks: { keys: [{ kty: 'oct', k: 'x' }] } }, soundKeys],
    'our own name': [
      { ...issuer, issuer: 'http://localhost:4000' },
      { field: 'issuer', message: 'must not be our own' },
    ],
    'no clients, nobody to be for, another kind of subject': [
      { ...issuer, clients: [], audience: [], subject: 'email' },
      { field: 'clients', message: 'must be ids of clients, at least one' },
      {
        field: 'audience',
        message: 'must be URIs without a fragment, or plain names, at least one',
      },
      { field: 'subject', message: 'must be one of user, external' },
    ],
    'an address without TLS and times out of range': [
      { ...issuer, jwks_uri: 'http://ci.example', max_lifetime_seconds: 601 },
      {
        field: 'jwks_uri',
        message: 'must be an https URL, or an http URL of the own machine, without credentials',
      },
      { field: 'max_lifetime_seconds', message: 'must be a whole number from 1 to 600' },
    ],
  }
  for (const [name, [body, ...fields]] of Object.entries(refused)) {
    await t.test(`refused: ${name}`, async (t) => {
      isProblem(t, await put(body), 'validation', { fields })
    })
  }
})
