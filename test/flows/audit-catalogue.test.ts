import { sql } from 'kysely'
import { test } from 'tap'
import { catalogue } from '../../src/audit/catalogue.ts'
import { loadConfig } from '../../src/config.ts'
import { createDeps } from '../../src/deps.ts'
import { createLogger } from '../../src/plugins/logger.ts'
import { startAdminApi } from '../endpoints/admin/admin-api.ts'
import { assertionIssuer, startAsserting } from '../endpoints/oauth/assertions.ts'
import {
  createApp,
  goodRequest,
  openBrowser,
  redeem,
  sentTo,
  takeCode,
  toQuery,
} from '../endpoints/oauth/authorization.ts'
import { approve, beginDevice, createDeviceClient, pollDevice } from '../endpoints/oauth/device.ts'
import { basic, createMachine, postForm } from '../endpoints/oauth/requests.ts'
import { createVault, formsOf } from '../faults/vault.ts'
import { testEnvironment, testKeyEncryptionKey } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const from = { requestId: 'r1', address: '192.0.2.1', userAgent: 'Test/1' }
const by = { actor: 'cli', origin: from }

const emptySchema = { type: 'object', properties: {} }

test('the audit log', async (t) => {
  const api = await startAdminApi(t)
  const { deps, db, post, patch } = api
  const vault = createVault()
  let count = 0

  /** Somebody whose password and tokens nobody may find. */
  const join = async () => {
    const password = vault.make(`password ${count++}`)
    const { json } = await post('/auth/register', {
      email: `${crypto.randomUUID()}@example.com`,
      password,
    })
    vault.keep(`access token ${count}`, json.access_token)
    const refreshToken: string = vault.keep(`refresh token ${count}`, json.refresh_token)
    return { password, refreshToken, token: json.access_token, ...json.user } as const
  }
  const refresh = async (token: string, address = '127.0.0.1') => {
    const { json } = await api.request({
      method: 'POST',
      url: '/auth/refresh',
      remoteAddress: address,
      payload: { refresh_token: token },
    })
    if (json.refresh_token) vault.keep(`refreshed ${count++}`, json.refresh_token)
    return json.refresh_token as string
  }
  const familyOf = (userId: string) =>
    db.updateTable('refresh_families').where('user_id', '=', userId)

  await t.test('is filled by what people do to their accounts', async (t) => {
    const { email, token, password } = await join()
    const wrong = vault.make('wrong password')
    await post('/auth/login', { email, password: wrong })
    await patch('/auth/me', { name: 'Anna' }, token)
    const change = { email: `${crypto.randomUUID()}@example.com` }
    await patch('/auth/me', { ...change, current_password: wrong }, token)
    const renewed = vault.make('new password')
    const passwords = { current_password: wrong, new_password: renewed }
    await post('/auth/password', passwords, token)
    await post('/auth/password', { ...passwords, current_password: password }, token)
    await api.request({
      method: 'POST',
      url: '/auth/login',
      headers: { 'user-agent': 'Phone/1' },
      payload: { email, password: renewed },
    })
    await post('/auth/logout', undefined, token)
    const { token: other } = await join()
    t.equal((await post('/auth/logout-all', undefined, other)).status, 204)
    const locked = await join()
    for (let attempt = 0; attempt < 6; attempt += 1) {
      await post('/auth/login', { email: locked.email, password: vault.make(`guess ${attempt}`) })
    }
    await deps.userAdministration.unlockUser(locked.id, by)
  })

  await t.test('is filled by what people allow, and take back', async () => {
    const { id: userId } = await join()
    const { client } = await createMachine(deps)
    const consent = { userId, clientId: client.id, scope: [], audience: [] }
    await deps.accounts.ownConsents.grant({ ...consent, authorizationDetails: [] }, from)
    await deps.accounts.ownConsents.revoke(userId, client.id, from)
  })

  await t.test('is filled by what people authorize, and by its codes', async () => {
    const app = await createApp(api)
    vault.keep('secret of an app', app.secret)
    const { browser } = await openBrowser(api)
    const code = vault.keep('code', await takeCode(browser, app))
    await redeem(api.app, app, code, { code_verifier: 'x'.repeat(43) })
    const tokens = (await redeem(api.app, app, code)).json()
    vault.keep('token of an app', tokens.access_token)
    vault.keep('refresh token of an app', tokens.refresh_token)
    await redeem(api.app, app, code)
    const asked = { client_id: app.id, ...goodRequest, prompt: 'login' }
    const { parameters } = sentTo(await browser.get(`/authorize?${toQuery(asked)}`))
    const secret = vault.keep('browser', browser.cookies.tessera_browser ?? '')
    await deps.interactions.deny(parameters.request ?? '', secret, from)
  })

  await t.test('is filled by what becomes of refresh tokens', async () => {
    const { refreshToken } = await join()
    const next = await refresh(refreshToken)
    await refresh(refreshToken, '198.51.100.7')
    await refresh(next)
    await refresh(refreshToken)
    const restored = await join()
    await familyOf(restored.id)
      .set({ digest: Buffer.alloc(32) })
      .execute()
    await refresh(restored.refreshToken)
    const { headers } = await createMachine(deps, { grantTypes: ['refresh_token'] })
    const { refreshToken: foreign, token } = await join()
    const form = { grant_type: 'refresh_token', refresh_token: foreign }
    await postForm(api.app, '/token', form, headers)
    await postForm(api.app, '/revoke', { token, client_id: 'first-party' })
    await postForm(api.app, '/revoke', { token: foreign, client_id: 'first-party' })
  })

  await t.test('is filled by what administrators do', async () => {
    const { userAdministration: users, roleAdministration: roles } = deps
    const { id, token } = await join()
    await api.get('/admin/users', token)
    const elsewhere = { origin: 'https://evil.example' }
    const payload = { email: 'a@example.com', password: 'x', cookies: true }
    await api.request({ method: 'POST', url: '/auth/login', headers: elsewhere, payload })
    for (const permissions of [['users.read'], ['users.write']]) {
      await roles.setRole({ name: 'helper', permissions }, by, ['admin'])
    }
    await users.grantRole(id, 'helper', by)
    await users.revokeRole(id, 'helper', by)
    await roles.deleteRole('helper', by, ['admin'])
    await users.endSessions(id, by)
    await users.forcePasswordChange(id, by)
    await users.setPassword(id, vault.make('set password'), by)
    await users.disableUser(id, by)
    await users.enableUser(id, by)
    await users.deleteUser(id, by)
    await users.restoreUser(id, by)
    await users.deleteUser(id, by)
    await db
      .updateTable('users')
      .set({ deleted_at: new Date(0) })
      .where('id', '=', id)
      .execute()
  })

  await t.test('is filled by what happens to clients, audiences and keys', async () => {
    const { clientAdministration: clients, keyAdministration: keys } = deps
    const { id, secret, client } = await createMachine(deps)
    vault.keep('client secret', secret)
    const guess = vault.make('guessed secret')
    await postForm(api.app, '/token', 'grant_type=client_credentials', basic(id, guess))
    await postForm(api.app, '/token', 'grant_type=client_credentials', { dpop: 'proof' })
    await clients.update(id, { name: `${client.name} 2` }, by)
    const rotated = await clients.rotateSecret(id, by)
    vault.keep('new client secret', rotated.secret ?? '')
    await clients.disable(id, by)
    await clients.enable(id, by)
    await deps.audienceAdministration.set({ name: 'https://api.example' }, by)
    await keys.rotateMacKey(by)
    const [leaked] = (await keys.list()).filter(({ state }) => state === 'current')
    const { algorithm, keyId } = leaked ?? { algorithm: 'RS256', keyId: '' }
    await keys.promoteNext({ algorithm, revoke: keyId, dryRun: false, by })
    api.moveTime(40 * 86_400)
    await keys.rotate({ dryRun: false, by })
    await keys.replaceAll({ keepRefreshTokens: true, dryRun: false, by })
    api.moveTime(40 * 86_400)
  })

  await t.test('is filled by clients that register themselves', async () => {
    const { registrationTokenAdministration: tokens, selfRegistration } = deps
    const { token, registrationToken } = await tokens.create({ name: 'Partner' }, by)
    vault.keep('registration token', token)
    const metadata = { redirectUris: ['https://app.example/cb'], settings: {} }
    const registered = await selfRegistration?.register(metadata, token, from)
    const access = vault.keep('management token', registered?.accessToken ?? '')
    vault.keep('secret of a registered client', registered?.secret ?? '')
    await selfRegistration?.register(metadata, vault.make('no token'), from).catch(() => {})
    await tokens.revoke(registrationToken.id, by)
    await deps.registrationManagement.remove(registered?.client.id ?? '', access, from)
  })

  await t.test('is filled by devices, by exchanged tokens and by what others assert', async () => {
    const { detailsTypeAdministration: types, assertionIssuerAdministration: issuers } = deps
    await types.set({ ...{ type: 'a', description: 'A' }, schema: emptySchema }, by)
    await types.remove('a', by)
    const device = await createDeviceClient(api)
    for (const isAllowed of [true, false]) {
      const { device_code, user_code } = await beginDevice(api, device)
      vault.keep(`device code ${isAllowed}`, device_code)
      const { id = '' } = (await deps.deviceRequests.find(user_code)) ?? {}
      if (!isAllowed) await deps.deviceCodes.deny(id, by)
      else await approve(api, db, user_code)
      const { access_token } = (await pollDevice(api, device, device_code)).json()
      if (isAllowed) vault.keep('token of a device', access_token)
    }
    const exchanger = await createMachine(deps, {
      grantTypes: ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'],
    })
    const credentials = { grant_type: 'client_credentials' }
    const own = await postForm(api.app, '/token', credentials, exchanger.headers)
    const exchange = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: vault.keep('subject token', own.json().access_token),
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    }
    await postForm(api.app, '/token', exchange, exchanger.headers)
    const { assert, present } = await startAsserting(api)
    const assertion = vault.keep('assertion', await assert())
    for (let attempt = 0; attempt < 2; attempt += 1) await present(assertion)
    await issuers.remove(assertionIssuer, by)
  })

  await t.test(
    'is filled by what a node does by itself, and by a change of its settings',
    async () => {
      const person = await join()
      const newKey = Buffer.alloc(32, 99).toString('base64')
      vault.keep('key-encryption key', newKey).concat(vault.keep('old one', testKeyEncryptionKey))
      const config = loadConfig(
        {
          ...testEnvironment,
          DATABASE_URL: api.databaseUrl,
          KEY_ENCRYPTION_KEY: `${newKey},${testKeyEncryptionKey}`,
          PASSWORD_HASH_MEMORY_KIB: '128',
        },
        () => '',
      )
      const later = 90 * 86_400
      const node = await createDeps(config, createLogger('silent'), {
        timeOffset: () => later,
        alertIntervalMs: 30,
      })
      t.teardown(() => node.close())
      await node.beginService()
      await node.keyAdministration.reseal(by)
      await node.accounts.signIn({ email: person.email }, person.password, from)
      await node.userAdministration.grantRole(person.id, 'admin', by)
      await waitUntil('an alert', async () => {
        const { events } = await node.auditLog.find({ type: 'alert.raised' }, { limit: 1 })
        return events.length > 0
      })
    },
  )

  await t.test('has every type of the catalogue, and no other', async (t) => {
    await deps.auditWriter.close()
    const rows = await db.selectFrom('audit_events').select('type').distinct().execute()
    const emitted = rows.map(({ type }) => type).sort()
    t.strictSame(emitted, Object.keys(catalogue).sort())
  })

  await t.test('holds none of the secrets that were used, in no form', async (t) => {
    const { rows } = await sql<{ text: string }>`
      SELECT audit_events::text AS text FROM audit_events
      UNION ALL SELECT alerts::text FROM alerts`.execute(db)
    t.ok(rows.length > 100)
    t.ok(vault.secrets.size > 20)
    const whole = rows.map(({ text }) => text).join('\n')
    const found = [...vault.secrets].filter(([, secret]) =>
      formsOf(secret).some((form) => whole.includes(form)),
    )
    t.strictSame(
      found.map(([name]) => name),
      [],
    )
  })

  await t.test('names in each event who acted or who was meant, and when', async (t) => {
    const { rows } = await sql<{ type: string }>`
      SELECT DISTINCT type FROM audit_events
      WHERE actor IS NULL AND subject IS NULL AND client_id IS NULL AND session_id IS NULL
        AND family_id IS NULL AND address IS NULL AND details = '{}'`.execute(db)
    t.strictSame(rows, [])
  })
})
