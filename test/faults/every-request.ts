import { connect as connectSocket } from 'node:net'
import type { Test } from 'tap'
import { createMachine } from '../endpoints/oauth/requests.ts'
import { createTestDatabase } from '../support/database.ts'
import { startProxy } from '../support/proxy.ts'
import { startServer } from '../support/server-process.ts'
import { startService, testEnvironment } from '../support/service.ts'
import { bodyOf, get, post, type SignedIn } from './over-http.ts'
import { createVault } from './vault.ts'

const form = (fields: Readonly<Record<string, string>>): URLSearchParams =>
  new URLSearchParams(fields)

/** A service in a process that logs all it can, behind a proxy to its database. */
export const startTalkative = async (t: Test) => {
  const vault = createVault()
  const { url: databaseUrl } = await createTestDatabase(t)
  const { deps } = await startService(t, { DATABASE_URL: databaseUrl })
  const proxy = await startProxy(t, databaseUrl)
  const throughProxy = new URL(proxy.url)
  // Loopback connections need no password, so any will do.
  throughProxy.password = encodeURIComponent(vault.make('password of the database'))
  const server = await startServer(t, {
    ...testEnvironment,
    DATABASE_URL: throughProxy.href,
    LOG_LEVEL: 'trace',
  })
  vault.keep('key-encryption key', testEnvironment.KEY_ENCRYPTION_KEY)
  const machine = await createMachine(deps, { grantTypes: ['client_credentials'] })
  vault.keep('client secret', machine.secret)
  return { server, proxy, vault, machine }
}

type Talkative = Awaited<ReturnType<typeof startTalkative>>

const keepTokens = ({ vault }: Talkative, name: string, tokens: Partial<SignedIn>): void => {
  for (const kind of ['access_token', 'refresh_token'] as const) {
    const token = tokens[kind]
    if (token === undefined) continue
    vault.keep(`${kind} of ${name}`, token)
    // A part of it would be as bad: the signature, or what proves a refresh token.
    vault.keep(`end of the ${kind} of ${name}`, token.slice(-40))
  }
}

/** Every endpoint, with good and with bad secrets. @returns how many requests it has sent */
export const useEverything = async (talkative: Talkative): Promise<number> => {
  const { server, vault, machine } = talkative
  let sent = 0
  const ask = async (answer: Promise<Response>): Promise<Response> => {
    sent += 1
    return answer
  }
  const tokensFrom = async (name: string, answer: Promise<Response>): Promise<SignedIn> => {
    const tokens = await bodyOf<SignedIn>(ask(answer))
    keepTokens(talkative, name, tokens)
    return tokens
  }
  const email = 'somebody@example.com'
  const password = vault.make('password')
  const wrong = vault.make('wrong password')
  const cookie = { cookie: `session=${encodeURIComponent(vault.make('cookie'))}` }
  const person = await tokensFrom(
    'registration',
    post(server, '/auth/register', { email, password }, cookie),
  )
  const bearer = { authorization: `Bearer ${person.access_token}` }
  const { refresh_token, access_token } = person

  await ask(post(server, '/auth/register', { email, password }))
  await ask(post(server, '/auth/login', { email, password: wrong }))
  await ask(post(server, '/auth/login', { email, password, unknown: vault.make('unknown member') }))
  await ask(
    post(server, '/auth/login', {
      username: vault.make('password typed as a name'),
      password: wrong,
    }),
  )
  await tokensFrom(
    'login form',
    post(server, '/auth/login-form', form({ username: email, password })),
  )
  await ask(post(server, '/auth/login-form', form({ username: email, password: wrong })))
  const renewed = await tokensFrom('refresh', post(server, '/refresh', { refresh_token }))
  await ask(post(server, '/auth/verify', { token: renewed.access_token }))
  await ask(get(server, '/auth/me', bearer))
  await ask(get(server, `/auth/me?${form({ access_token, q: vault.make('query') })}`, bearer))
  await ask(get(server, `/${encodeURIComponent(vault.make('path'))}`))
  await ask(
    get(server, '/auth/me', {
      authorization: `Bearer ${Buffer.from(vault.make('bad bearer')).toString('base64')}`,
    }),
  )
  await ask(
    get(server, '/auth/me', { authorization: vault.keep('odd header', 'Digest c3VycHJpc2luZ2x5') }),
  )
  const next = vault.make('new password')
  await ask(post(server, '/auth/password', { current_password: wrong, new_password: next }, bearer))
  await ask(
    post(server, '/auth/password', { current_password: password, new_password: next }, bearer),
  )
  await ask(
    post(server, '/auth/login', { email, password: 'x'.repeat(300) + vault.make('too long') }),
  )

  const machineTokens = await tokensFrom(
    'client credentials',
    post(server, '/token', form({ grant_type: 'client_credentials' }), machine.headers),
  )
  vault.keep('basic credentials', machine.headers.authorization.replace('Basic ', ''))
  const secretInBody = { client_id: machine.id, client_secret: machine.secret }
  await ask(post(server, '/token', form({ grant_type: 'client_credentials', ...secretInBody })))
  await ask(post(server, '/token', form({ grant_type: vault.make('grant type') }), machine.headers))
  const firstParty = { client_id: 'first-party' }
  await tokensFrom(
    'token endpoint',
    post(
      server,
      '/token',
      form({ grant_type: 'refresh_token', refresh_token: renewed.refresh_token, ...firstParty }),
    ),
  )
  const forged = `${renewed.refresh_token.slice(0, -4)}AAAA`
  await ask(
    post(
      server,
      '/token',
      form({
        grant_type: 'refresh_token',
        refresh_token: vault.keep('forged', forged),
        ...firstParty,
      }),
    ),
  )
  await ask(
    post(server, '/introspect', form({ token: machineTokens.access_token }), machine.headers),
  )
  await ask(post(server, '/revoke', form({ token: machineTokens.access_token }), machine.headers))
  // Reuse, which is punished and told.
  await ask(post(server, '/refresh', { refresh_token }))
  await ask(post(server, '/revoke', form({ token: refresh_token, ...firstParty })))
  await ask(post(server, '/auth/logout', { refresh_token }))
  return sent
}

/** What never becomes a request that a route sees. */
export const sendRubbish = async ({ server, vault }: Talkative): Promise<void> => {
  const json = { 'content-type': 'application/json' }
  const bodies = [`{"password":"${vault.make('broken JSON')}`, `["${vault.make('array')}"]`]
  for (const body of bodies) {
    await fetch(`${server.url}/auth/login`, { method: 'POST', headers: json, body })
  }
  const large = `{"email":"${vault.make('large body')}${'x'.repeat(100_000)}"}`
  await fetch(`${server.url}/auth/login`, { method: 'POST', headers: json, body: large })
  for (const head of [
    `GET /${'a'.repeat(100_000)} HTTP/1.1`,
    `BREW ${vault.keep('raw', 'unspeakable-raw-line')} HTTP/1.1`,
  ]) {
    const socket = connectSocket(server.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.end(
      `${head}\r\nHost: a\r\nAuthorization: Bearer ${vault.keep('raw bearer', 'unspeakable-raw-bearer')}\r\n\r\n`,
    )
    await new Promise((resolve) => socket.resume().once('close', resolve))
  }
}
