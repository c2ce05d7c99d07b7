import { decodeProtectedHeader } from 'jose'
import type { Kysely } from 'kysely'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config.ts'
import { createDeps } from '../../src/deps.ts'
import { createLogger } from '../../src/plugins/logger.ts'
import type { Database } from '../../src/stores/postgres/schema.ts'
import { runInProcess } from '../cli/run-cli.ts'
import {
  byOperator,
  createMachine,
  oauthError,
  outcomeOf,
  postForm,
} from '../endpoints/oauth/requests.ts'
import { refresh, tokenOf } from '../support/nodes.ts'
import { connect, register, startService, testEnvironment } from '../support/service.ts'

const api = 'https://api.example'
const issuer = testEnvironment.ISSUER
const environment = { DEFAULT_AUDIENCE: api }

/** Writes what the administration would refuse. */
const setBehindItsBack = (
  db: Kysely<Database>,
  algorithms: Readonly<Record<string, 'ES256' | 'EdDSA'>>,
) =>
  db
    .insertInto('audiences')
    .values(
      Object.entries(algorithms).map(([name, signing_algorithm]) => ({
        ...{ name, signing_algorithm },
        ...{ access_token_ttl_seconds: null, longest_ttl_seconds: null },
        ...{ created_at: new Date(), updated_at: new Date() },
      })),
    )
    .execute()

/** Somebody signed in, and then the same service on another node, with split settings. */
const startSplit = async (t: Test) => {
  const first = await startService(t, environment)
  const person = await register(first.app)
  const db = await connect(t, first)
  await setBehindItsBack(db, { [issuer]: 'EdDSA', [api]: 'ES256' })
  const service = await startService(t, { ...environment, DATABASE_URL: first.databaseUrl })
  return { db, person, service }
}

const algorithmOf = (accessToken: unknown) => decodeProtectedHeader(String(accessToken)).alg

t.test('people sign in and stay so with split settings: the issuer’s own one wins', async (t) => {
  const { person, service } = await startSplit(t)
  const { email, password } = person
  const payload = { email, password }

  const signedIn = await service.app.inject({ method: 'POST', url: '/auth/login', payload })
  const registered = await register(service.app)
  const refreshed = await refresh(service, person.refresh_token)
  const again = await refresh(service, tokenOf(refreshed))

  const answers = [signedIn.json(), registered, refreshed.body, again.body]
  t.strictSame([signedIn.statusCode, refreshed.status, again.status], [200, 200, 200])
  for (const { access_token: token } of answers) {
    t.equal(algorithmOf(token), 'EdDSA')
    const headers = { authorization: `Bearer ${token}` }
    t.equal((await service.app.inject({ url: '/auth/me', headers })).statusCode, 200)
  }
})

t.test('a split is told of at start and by the doctor', async (t) => {
  const { service } = await startSplit(t)
  const warnings = service.log.filter((line) => line.includes('want different algorithms'))
  t.match(
    warnings.map((line) => JSON.parse(line)),
    [
      {
        level: 'warn',
        audiences: [
          { audience: issuer, algorithm: 'EdDSA' },
          { audience: api, algorithm: 'ES256' },
        ],
      },
    ],
  )
  const { stdout } = await runInProcess(['doctor', '--json'], () =>
    loadConfig({ ...testEnvironment, ...environment, DATABASE_URL: service.databaseUrl }, () => ''),
  )
  const { findings } = JSON.parse(stdout) as { findings: { check: string }[] }
  t.strictSame(
    findings.filter(({ check }) => check === 'audiences'),
    [
      {
        check: 'audiences',
        status: 'warning',
        message: `People get tokens for audiences that want different algorithms: ${issuer} wants EdDSA, ${api} wants ES256`,
        advice:
          'Set the same for both with `tessera audiences set`; until then the one of ISSUER is used',
      },
    ],
  )
})

t.test('a command that knows nothing but the database refuses a split too', async (t) => {
  const { databaseUrl } = await startService(t, environment)
  const config = loadConfig(
    { ...testEnvironment, ISSUER: 'http://localhost:3000', DATABASE_URL: databaseUrl },
    () => '',
  )
  const command = await createDeps(config, createLogger('silent'))
  t.teardown(() => command.close())
  const { audienceAdministration } = command
  await audienceAdministration.set({ name: api, signingAlgorithm: 'ES256' }, byOperator)

  await t.rejects(
    audienceAdministration.set({ name: issuer, signingAlgorithm: 'EdDSA' }, byOperator),
    {
      code: 'validation',
      options: {
        fields: [
          {
            field: 'signing_algorithm',
            message: `must be ES256, as for ${api}: people get tokens for both at once`,
          },
        ],
      },
    },
  )
})

t.test(
  'a registered client with split audiences must name one, and nothing is written before',
  async (t) => {
    const { db, person, service } = await startSplit(t)
    const { app, deps } = service
    const machine = await createMachine(deps, {
      grantTypes: ['client_credentials', 'refresh_token'],
      audience: [issuer, api],
    })
    const family = db.updateTable('refresh_families').where('user_id', '=', person.user.id)
    await family.set({ client_id: machine.id }).execute()
    const generation = async () => {
      const rows = db.selectFrom('refresh_families').where('user_id', '=', person.user.id)
      return rows.select(['generation', 'revoked_at']).executeTakeFirstOrThrow()
    }
    const ask = (form: Record<string, string>) => postForm(app, '/token', form, machine.headers)
    const grant = { grant_type: 'refresh_token', refresh_token: person.refresh_token }
    const mixed = oauthError(
      400,
      'invalid_target',
      'These audiences want different signing algorithms',
    )

    t.strictSame(outcomeOf(await ask({ grant_type: 'client_credentials' })), mixed)
    t.strictSame(outcomeOf(await ask(grant)), mixed)
    t.strictSame(await generation(), { generation: 1, revoked_at: null })

    const named = await ask({ ...grant, resource: api })
    t.equal(named.statusCode, 200)
    t.equal(algorithmOf(named.json().access_token), 'ES256')
    t.strictSame(await generation(), { generation: 2, revoked_at: null })

    // What is stolen is still found out, whatever the settings are.
    const successor = named.json().refresh_token
    await ask({ ...grant, refresh_token: successor, resource: api })
    const stolen = await ask(grant)
    t.match(stolen.json(), { error: 'invalid_grant', code: 'reused' })
    t.match(await generation(), { generation: 3, revoked_at: Date })
  },
)
