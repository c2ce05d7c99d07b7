import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { ClientRegistration } from '../../../src/clients/client-registration.ts'
import { Problem } from '../../../src/oauth/problem.ts'
import { createCertificate, type TestCertificate } from '../../support/client-certificates.ts'
import { temporaryFolder } from '../../support/run-folder.ts'
import { startService } from '../../support/service.ts'
import { byOperator, outcomeOf, postForm, unauthenticated } from './requests.ts'

// Clients whose certificate is their credential (RFC 8705 §2), as a trusted proxy tells it.
const authority = createCertificate('Authority', { isAuthority: true })
const imitation = createCertificate('Authority', { isAuthority: true })
const subject = ['O=Example', 'CN=machine']
const issued = createCertificate(subject, { issuer: authority })
const own = createCertificate('own')

const file = join(temporaryFolder('authorities'), 'authorities.pem')
writeFileSync(file, `# Authorities\n${authority.x509.toString()}`)
const environment = {
  CLIENT_CERTIFICATE_HEADER: 'Client-Cert',
  CLIENT_CERTIFICATE_AUTHORITIES_FILE: file,
  TRUSTED_PROXIES: '127.0.0.0/8,10.0.0.1',
}
const { app, deps } = await startService(t, environment)

const create = async (registration: Partial<ClientRegistration>): Promise<string> => {
  const { client, secret } = await deps.clientAdministration.create(
    { name: 'Certificates', ...registration },
    byOperator,
  )
  if (secret !== undefined) throw new Error('a certificate is instead of a secret')
  return client.id
}
const named = await create({
  authenticationMethod: 'tls_client_auth',
  settings: { tlsClientAuth: { member: 'subject_dn', value: 'CN=machine,O=Example' } },
})
const jwkOf = ({ publicKey }: TestCertificate) => publicKey.export({ format: 'jwk' })
const selfSigned = await create({
  authenticationMethod: 'self_signed_tls_client_auth',
  settings: { jwks: { keys: [jwkOf(own) as { kty: string }] } },
})

const ask = (clientId: string, headers: Record<string, string>, remoteAddress = '127.0.0.1') =>
  app.inject({
    method: 'POST',
    url: '/token',
    remoteAddress,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: `grant_type=client_credentials&client_id=${clientId}`,
  })
const withCertificate = ({ header }: TestCertificate) => ({ 'client-cert': header })

t.test('a certificate proves a client, in both spellings of the header', async (t) => {
  for (const [clientId, certificate] of [
    [named, issued],
    [selfSigned, own],
  ] as const) {
    for (const text of [certificate.header, certificate.escapedPem]) {
      const answer = await ask(clientId, { 'client-cert': text })
      t.equal(answer.statusCode, 200, answer.body)
    }
  }
})

t.test('a header from anybody but a trusted proxy is ignored', async (t) => {
  t.equal((await ask(named, withCertificate(issued), '10.0.0.1')).statusCode, 200)
  for (const address of ['10.0.0.2', '192.0.2.1', '::1']) {
    const answer = outcomeOf(await ask(named, withCertificate(issued), address))
    t.strictSame(answer, unauthenticated(), address)
  }
  const told = { ...withCertificate(issued), 'x-forwarded-for': '127.0.0.1' }
  t.strictSame(outcomeOf(await ask(named, told, '192.0.2.1')), unauthenticated())
})

const untrusted: Record<string, TestCertificate> = {
  'one that signs itself': createCertificate(subject),
  'one of another authority with the same name': createCertificate(subject, { issuer: imitation }),
  'one that has expired': createCertificate(subject, { issuer: authority, until: '250101000000Z' }),
  'one of a server': createCertificate(subject, { issuer: authority, purpose: 'server' }),
  'the authority itself': authority,
  'one of an authority': createCertificate(subject, { issuer: authority, isAuthority: true }),
  'another name': createCertificate(['O=Example', 'CN=other'], { issuer: authority }),
  'a longer name': createCertificate([...subject, 'CN=machine'], { issuer: authority }),
  'one that an issued one has signed': createCertificate(subject, { issuer: issued }),
}

for (const [what, certificate] of Object.entries(untrusted)) {
  t.test(`a certificate proves no client: ${what}`, async (t) => {
    const answer = outcomeOf(await ask(named, withCertificate(certificate)))
    t.strictSame(answer, unauthenticated())
  })
}

t.test('a certificate for clients is one by its purpose', async (t) => {
  const certificate = createCertificate(subject, { issuer: authority, purpose: 'client' })
  t.equal((await ask(named, withCertificate(certificate))).statusCode, 200)
})

t.test('a self-signed certificate is good with the key of its client only', async (t) => {
  for (const certificate of [issued, createCertificate('own')]) {
    const answer = outcomeOf(await ask(selfSigned, withCertificate(certificate)))
    t.strictSame(answer, unauthenticated())
  }
  t.strictSame(outcomeOf(await ask(named, withCertificate(own))), unauthenticated())
})

t.test('without a certificate that can be read there is none', async (t) => {
  const headers = [
    '',
    'x',
    ':AAAA:',
    `${issued.header}, ${issued.header}`,
    issued.escapedPem.repeat(2),
    encodeURIComponent(`${issued.x509.toString()}${own.x509.toString()}`),
    '%E0%A4%A',
    issued.x509.raw.toString('base64'),
    `:${'A'.repeat(20_000)}:`.slice(0, 14_000),
  ]
  for (const header of headers) {
    const answer = outcomeOf(await ask(named, { 'client-cert': header }))
    t.strictSame(answer, unauthenticated(), header.slice(0, 30))
  }
  t.strictSame(outcomeOf(await ask(named, {})), unauthenticated())
})

t.test('a certificate beside another credential is no second one', async (t) => {
  const { client, secret = '' } = await deps.clientAdministration.create(
    { name: 'Secret', authenticationMethod: 'client_secret_post' },
    byOperator,
  )
  const form = { grant_type: 'client_credentials', client_id: client.id, client_secret: secret }
  const answer = await postForm(app, '/token', form, withCertificate(issued))
  t.equal(answer.statusCode, 200)
})

t.test('the metadata name the methods once they are configured', async (t) => {
  const methodsOf = async (node: typeof app) => {
    const { body } = await node.inject('/.well-known/oauth-authorization-server')
    const { token_endpoint_auth_methods_supported: methods } = JSON.parse(body)
    return (methods as string[]).filter((method) => method.includes('tls'))
  }
  t.strictSame(await methodsOf(app), ['tls_client_auth', 'self_signed_tls_client_auth'])
  const { CLIENT_CERTIFICATE_AUTHORITIES_FILE: _, ...withoutAuthorities } = environment
  t.strictSame(await methodsOf((await startService(t, withoutAuthorities)).app), [
    'self_signed_tls_client_auth',
  ])
  const plain = await startService(t)
  t.strictSame(await methodsOf(plain.app), [])
  const registration = { name: 'x', authenticationMethod: 'self_signed_tls_client_auth' }
  const settings = { jwks: { keys: [jwkOf(own) as { kty: string }] } }
  await t.rejects(
    plain.deps.clientAdministration.create({ ...registration, settings }, byOperator),
    Problem,
  )
})
