import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Deps } from '../../src/deps.ts'
import type { createStores } from '../../src/stores/postgres/stores.ts'
import { byOperator, createMachine, postForm } from '../endpoints/oauth/requests.ts'
import { useProtocols } from './protocol-journey.ts'

const password = 'violet kettle on the roof'
const firstParty = { client_id: 'first-party' }

const expectStatus = (answer: LightMyRequestResponse, status: number): LightMyRequestResponse => {
  if (answer.statusCode !== status) throw new Error(`${answer.statusCode}: ${answer.body}`)
  return answer
}

/** Requests to the first-party API, each with the status that it must have. */
const speak = (app: FastifyInstance) => {
  const ask = async (status: number, method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string) => {
    const [path = '', token] = url.split(' ')
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    return (payload?: object) =>
      app
        .inject({ method, url: path, headers, ...(payload ? { payload } : {}) })
        .then((answer) => expectStatus(answer, status))
  }
  const post = async (status: number, url: string, payload?: object) =>
    (await ask(status, 'POST', url))(payload)
  return { ask, post }
}

type Tokens = { access_token: string; refresh_token: string; user: { id: string } }

const useSessions = async (app: FastifyInstance): Promise<void> => {
  const { ask, post } = speak(app)
  const email = 'sessions@example.com'
  const register = await post(201, '/auth/register', { email, username: 'sessions', password })
  const { access_token: token, refresh_token: parent } = register.json<Tokens>()
  await post(409, '/auth/register', { email, password })
  await post(409, '/auth/register', { email: 'other@example.com', username: 'sessions', password })
  await post(401, '/auth/login', { email, password: 'not the right one' })
  const login = await post(200, '/auth/login', { username: 'sessions', password })
  const { access_token: second } = login.json<Tokens>()
  await (await ask(200, 'GET', `/auth/me ${token}`))()
  const sessions = (await (await ask(200, 'GET', `/auth/sessions ${token}`))()).json<{
    sessions: { id: string; current: boolean }[]
  }>()
  const other = sessions.sessions.find(({ current }) => !current)
  await (await ask(200, 'PATCH', `/auth/me ${token}`))({ name: 'Jo', current_password: password })
  await (await ask(204, 'DELETE', `/auth/sessions/${other?.id} ${token}`))()
  await post(200, '/auth/verify', { token: second })
  const third = (await post(200, '/auth/login', { email, password })).json<Tokens>()
  await post(204, '/auth/logout', { refresh_token: third.refresh_token })
  const successor = (await post(200, '/refresh', { refresh_token: parent })).json<Tokens>()
  await post(200, '/refresh', { refresh_token: parent })
  const last = await post(200, '/refresh', { refresh_token: successor.refresh_token })
  await post(401, '/refresh', { refresh_token: parent })
  await post(401, '/refresh', { refresh_token: last.json<Tokens>().refresh_token })
  const fourth = (await post(200, '/auth/login', { email, password })).json<Tokens>()
  const change = { current_password: password, new_password: `${password} at night` }
  await post(204, `/auth/password ${fourth.access_token}`, change)
  await post(204, `/auth/logout-all ${fourth.access_token}`)
}

const useOAuth = async (app: FastifyInstance, deps: Deps): Promise<Record<string, string>> => {
  const { post } = speak(app)
  const machine = await createMachine(deps, {
    grantTypes: ['client_credentials'],
    resourceServer: ['https://api.example'],
  })
  const grant = { grant_type: 'client_credentials' }
  const token = expectStatus(await postForm(app, '/token', grant, machine.headers), 200)
  const { access_token: accessToken } = token.json<Tokens>()
  await postForm(app, '/introspect', { token: accessToken }, machine.headers)
  expectStatus(await postForm(app, '/revoke', { token: accessToken }, machine.headers), 200)
  const account = { email: 'oauth@example.com', password }
  const { refresh_token: refreshToken } = (
    await post(201, '/auth/register', account)
  ).json<Tokens>()
  await postForm(app, '/introspect', { token: refreshToken }, machine.headers)
  const refresh = { grant_type: 'refresh_token', refresh_token: refreshToken, ...firstParty }
  const next = expectStatus(await postForm(app, '/token', refresh), 200).json<Tokens>()
  const revocation = { token: next.refresh_token, ...firstParty }
  expectStatus(await postForm(app, '/revoke', revocation), 200)

  const { clientAdministration, audienceAdministration } = deps
  const { client } = await createMachine(deps, { grantTypes: ['client_credentials'] })
  await clientAdministration.rotateSecret(client.id, byOperator)
  await clientAdministration.disable(client.id, byOperator)
  await clientAdministration.enable(client.id, byOperator)
  await clientAdministration.list()
  const audience = { name: 'https://api.example', signingAlgorithm: 'EdDSA' } as const
  await audienceAdministration.set(audience, byOperator)
  await audienceAdministration.list()
  return { clientId: machine.id, clientSecret: machine.secret }
}

const administer = async (app: FastifyInstance, deps: Deps): Promise<void> => {
  const { post } = speak(app)
  const { userAdministration: users, keyAdministration: keys } = deps
  const email = 'managed@example.com'
  await users.createUser({ email, password }, byOperator)
  const login = (await post(200, '/auth/login', { email, password })).json<Tokens>()
  await users.grantRole(email, 'admin', byOperator)
  await post(200, '/refresh', { refresh_token: login.refresh_token })
  await users.revokeRole(email, 'admin', byOperator)
  await users.disableUser(email, byOperator)
  await users.enableUser(email, byOperator)
  await users.setPassword(email, `${password} again`, byOperator)
  await users.listUsers({ limit: 10 })
  await users.listUsers({ after: email, limit: 10 })
  await keys.list()
  await keys.rotate({ dryRun: false, by: byOperator })
  await keys.rotateMacKey(byOperator)
  await keys.reseal(byOperator)
  await deps.readSchemaStatus()
}

const nobody = '00000000-0000-4000-8000-000000000000'

/** What the service says only after an outage, a failover or to clients of a rare kind. */
export const visitStores = async (stores: ReturnType<typeof createStores>): Promise<void> => {
  const endedAt = new Date()
  const startedAt = new Date(endedAt.getTime() - 5000)
  await stores.outages.record({ startedAt, endedAt })
  const expiresAt = new Date(endedAt.getTime() + 60_000)
  const entry = { kind: 'jti', value: nobody, createdAt: endedAt, changedAt: endedAt } as const
  await stores.revocations.insertMissing([{ ...entry, expiresAt, lifted: false }])
  const digest = Buffer.alloc(32)
  const asked = { scope: undefined, audience: undefined, from: digest, salt: digest }
  const presented = { familyId: nobody, generation: 1, digest, successorDigest: digest }
  await stores.families.touch({
    clientId: 'first-party',
    confirmation: null,
    ...asked,
    ...presented,
  })
  await stores.families.copyUserVersion(nobody)
}

/**
 * Does, once, whatever makes the service say something to its database.
 * @returns what is needed to go on after it: an account, a refresh token, a machine
 */
export const travel = async (app: FastifyInstance, deps: Deps): Promise<Record<string, string>> => {
  const { post } = speak(app)
  await useSessions(app)
  const machine = await useOAuth(app, deps)
  await administer(app, deps)
  await useProtocols({ app, deps })
  const email = 'traveller@example.com'
  const registered = (await post(201, '/auth/register', { email, password })).json<Tokens>()
  const refresh = { refresh_token: registered.refresh_token }
  const { refresh_token: refreshToken } = (await post(200, '/refresh', refresh)).json<Tokens>()
  return { email, password, refreshToken, ...machine }
}
