import { CompactSign } from 'jose'
import t from 'tap'
import { Problem } from '../../../src/oauth/problem.ts'
import { createSealer } from '../../../src/secrets/sealer.ts'
import { connect, startService, testKeyEncryptionKey } from '../../support/service.ts'
import { assertionClaims, assertionType } from '../../support/signer.ts'
import { byOperator, createMachine, outcomeOf, postForm, unauthenticated } from './requests.ts'

const issuer = 'http://localhost:4000'
const environment = { CLIENT_SECRET_JWT: 'true' }
const service = await startService(t, environment)
const { app, deps } = service
const authenticationMethod = 'client_secret_jwt'
const machine = await createMachine(deps, { authenticationMethod })

const sign = (id: string, secret: string, alg = 'HS256', claims: object = {}) =>
  new CompactSign(Buffer.from(JSON.stringify({ ...assertionClaims(id, issuer), ...claims })))
    .setProtectedHeader({ alg })
    .sign(Buffer.from(secret))

const present = (assertion: string, node = app) =>
  postForm(node, '/token', {
    ...{ grant_type: 'client_credentials', client_assertion_type: assertionType },
    client_assertion: assertion,
  })

t.test('a client proves by a MAC that it knows its secret, once', async (t) => {
  const assertion = await sign(machine.id, machine.secret)
  t.equal((await present(assertion)).statusCode, 200)
  t.strictSame(outcomeOf(await present(assertion)), unauthenticated())
})

t.test('another MAC proves nothing', async (t) => {
  const other = await createMachine(deps, { authenticationMethod })
  const plain = await createMachine(deps)
  const wrong = [
    await sign(machine.id, other.secret),
    await sign(machine.id, 'tcs_wrong'),
    await sign(machine.id, machine.secret, 'HS512'),
    await sign(machine.id, machine.secret, 'HS256', { aud: 'https://other.example' }),
    await sign(machine.id, machine.secret, 'HS256', { exp: undefined }),
    await sign(plain.id, plain.secret),
  ]
  for (const assertion of wrong)
    t.strictSame(outcomeOf(await present(assertion)), unauthenticated())
  const form = { grant_type: 'client_credentials', client_id: machine.id }
  const secret = await postForm(app, '/token', { ...form, client_secret: machine.secret })
  t.strictSame(outcomeOf(secret), unauthenticated(), 'nor does the secret itself')
})

t.test('after a rotation both secrets do for as long as was said', async (t) => {
  const { id, secret } = await createMachine(deps, { authenticationMethod })
  const rotated = await deps.clientAdministration.rotateSecret(id, byOperator, 3600)
  for (const each of [secret, rotated.secret ?? '']) {
    t.equal((await present(await sign(id, each))).statusCode, 200)
  }
  const last = await deps.clientAdministration.rotateSecret(id, byOperator, 0)
  for (const each of [secret, rotated.secret ?? '']) {
    t.strictSame(outcomeOf(await present(await sign(id, each))), unauthenticated())
  }
  t.equal((await present(await sign(id, last.secret ?? ''))).statusCode, 200)
})

t.test('the secret is sealed in the database, and no other client has one there', async (t) => {
  const db = await connect(t, service)
  const rows = await db.selectFrom('client_secrets').selectAll().execute()
  t.notMatch(JSON.stringify(rows), machine.secret)
  const clients = await db.selectFrom('clients').select(['id', 'authentication_method']).execute()
  for (const { client_id: id, sealed_secret: sealed } of rows) {
    const method = clients.find((client) => client.id === id)?.authentication_method
    t.equal(sealed !== null, method === authenticationMethod)
  }
})

const key = Buffer.alloc(32, 9)
const bothKeys = `${key.toString('base64')},${testKeyEncryptionKey}`

t.test('resealing takes the secrets of clients along', async (t) => {
  const second = await startService(t, {
    ...environment,
    DATABASE_URL: service.databaseUrl,
    KEY_ENCRYPTION_KEY: bothKeys,
  })
  await second.deps.keyAdministration.reseal(byOperator)
  t.equal(await second.deps.keyAdministration.reseal(byOperator), 0)
  const db = await connect(t, service)
  const rows = await db
    .selectFrom('client_secrets')
    .select('sealed_secret')
    .where('client_id', '=', machine.id)
    .execute()
  const context = `the secret of client ${machine.id}`
  for (const { sealed_secret: sealed } of rows) {
    const opened = createSealer([key]).open(sealed ?? Buffer.alloc(0), context)
    t.equal(opened.toString(), machine.secret)
  }
  second.deps.clients.invalidate()
  t.equal((await present(await sign(machine.id, machine.secret), second.app)).statusCode, 200)
})

t.test('the method is off unless it is configured', async (t) => {
  const plain = await startService(t, {
    DATABASE_URL: service.databaseUrl,
    KEY_ENCRYPTION_KEY: bothKeys,
  })
  const registration = { name: 'x', authenticationMethod }
  await t.rejects(plain.deps.clientAdministration.create(registration, byOperator), Problem)
  const assertion = await sign(machine.id, machine.secret)
  t.strictSame(outcomeOf(await present(assertion, plain.app)), unauthenticated())
  const metadataOf = async (node: typeof app) => {
    const { body } = await node.inject('/.well-known/oauth-authorization-server')
    const metadata = JSON.parse(body)
    return [
      metadata.token_endpoint_auth_methods_supported.includes(authenticationMethod),
      metadata.token_endpoint_auth_signing_alg_values_supported.includes('HS256'),
    ]
  }
  t.strictSame(await metadataOf(app), [true, true])
  t.strictSame(await metadataOf(plain.app), [false, false])
})
