import t from 'tap'
import type { ClientSettings } from '../../src/clients/client-settings.ts'
import { defaultClientSettings } from '../../src/clients/client-settings.ts'
import {
  chooseConfirmation,
  familyConfirmationOf,
  type ProvenKeys,
} from '../../src/grants/key-binding.ts'
import { OAuthError } from '../../src/oauth/error.ts'
import { makeClient } from '../support/new-client.ts'

const choose = (settings: Partial<ClientSettings>, proven: ProvenKeys) => {
  try {
    const client = makeClient({ settings: { ...defaultClientSettings, ...settings } })
    return chooseConfirmation(client, proven)
  } catch (error) {
    if (error instanceof OAuthError) return error.code
    throw error
  }
}

const proof = { jkt: 'key', algorithm: 'ES256' } as const
const certificate = 'certificate'
const byKey = { dpopBoundAccessTokens: true }
const byCertificate = { tlsClientCertificateBoundAccessTokens: true }
const jkt = { jkt: 'key' }
const x5t = { 'x5t#S256': certificate }

const table: readonly (readonly [Partial<ClientSettings>, ProvenKeys, unknown])[] = [
  [{}, {}, undefined],
  [{}, { proof }, jkt],
  [{}, { certificate }, undefined],
  [{}, { proof, certificate }, jkt],
  [byKey, {}, 'invalid_dpop_proof'],
  [byKey, { certificate }, 'invalid_dpop_proof'],
  [byKey, { proof }, jkt],
  [byKey, { proof, certificate }, jkt],
  [byCertificate, {}, 'invalid_request'],
  [byCertificate, { proof }, 'invalid_request'],
  [byCertificate, { certificate }, x5t],
  [byCertificate, { proof, certificate }, x5t],
  [{ ...byKey, ...byCertificate }, { proof, certificate }, jkt],
  [{ profile: 'fapi2' }, { proof: { ...proof, algorithm: 'RS256' } }, 'invalid_dpop_proof'],
  [{ profile: 'fapi2' }, { proof: { ...proof, algorithm: 'PS256' } }, jkt],
]

for (const [settings, proven, expected] of table) {
  t.test(`${JSON.stringify(settings)} with ${JSON.stringify(proven)}`, async (t) => {
    t.strictSame(choose(settings, proven), expected)
  })
}

t.test('families of public clients alone are bound to the key (RFC 9449 §5)', async (t) => {
  const open = { authenticationMethod: 'none' } as const
  const confidential = { authenticationMethod: 'client_secret_basic' } as const
  t.equal(familyConfirmationOf(open, jkt), 'jkt:key')
  t.equal(familyConfirmationOf(open, x5t), 'x5t#S256:certificate')
  t.equal(familyConfirmationOf(open, undefined), null)
  t.equal(familyConfirmationOf(confidential, jkt), null)
})
