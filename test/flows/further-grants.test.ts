import { decodeJwt } from 'jose'
import {
  allowInsecureRequests,
  ClientSecretBasic,
  discovery,
  genericGrantRequest,
  initiateDeviceAuthorization,
  None,
  pollDeviceAuthorizationGrant,
} from 'openid-client'
import t from 'tap'
import {
  assertionIssuer,
  jwtBearerGrantType,
  startAsserting,
} from '../endpoints/oauth/assertions.ts'
import { approve, createDeviceClient } from '../endpoints/oauth/device.ts'
import { createMachine } from '../endpoints/oauth/requests.ts'
import { startProvider } from '../support/relying-party.ts'
import { connect } from '../support/service.ts'

// Every request here is made by openid-client, which knows the service by its metadata alone.

const provider = await startProvider(t)
const { deps, issuer } = provider
const options = { execute: [allowInsecureRequests] }
const discover = (id: string, secret?: string) =>
  discovery(
    new URL(issuer),
    id,
    secret,
    secret === undefined ? None() : ClientSecretBasic(secret),
    options,
  )

t.test('a device gets its tokens', async (t) => {
  const db = await connect(t, provider)
  const client = await createDeviceClient(provider)
  const configuration = await discover(client.id)
  const begun = await initiateDeviceAuthorization(configuration, { scope: 'read' })
  const { user } = await approve(provider, db, begun.user_code)
  const tokens = await pollDeviceAuthorizationGrant(configuration, { ...begun, interval: 1 })
  t.match(decodeJwt(tokens.access_token), { sub: user.id, scope: 'read', client_id: client.id })
})

t.test('a token is exchanged', async (t) => {
  const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange'
  const type = 'urn:ietf:params:oauth:token-type:access_token'
  const machine = await createMachine(deps, {
    grantTypes: ['client_credentials', grantType],
    scope: ['read'],
    audience: ['https://next.example'],
  })
  const configuration = await discover(machine.id, machine.secret)
  const own = await genericGrantRequest(configuration, 'client_credentials', {})
  const exchanged = await genericGrantRequest(configuration, grantType, {
    ...{ subject_token: own.access_token, subject_token_type: type },
    ...{ audience: 'https://next.example' },
  })
  t.equal(exchanged.issued_token_type, type)
  t.match(decodeJwt(exchanged.access_token), {
    aud: 'https://next.example',
    act: { sub: machine.id },
  })
})

t.test('an assertion is presented', async (t) => {
  const machine = await createMachine(deps, {
    grantTypes: [jwtBearerGrantType],
    scope: ['deploy'],
    audience: ['https://deploy.example'],
  })
  const { assert } = await startAsserting(provider, { clients: [machine.id] })
  const configuration = await discover(machine.id, machine.secret)
  const assertion = await assert({ iss: assertionIssuer })
  const tokens = await genericGrantRequest(configuration, jwtBearerGrantType, { assertion })
  t.match(decodeJwt(tokens.access_token), { aud: 'https://deploy.example', scope: 'deploy' })
})
