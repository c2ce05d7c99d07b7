import { sql } from 'kysely'
import { test } from 'tap'
import { loadConfig } from '../../src/config.ts'
import { type Answer, isAccepted, refresh, startNodes, tokenOf } from '../support/nodes.ts'
import { connect, register, startService, type TestService } from '../support/service.ts'
import { patience, raceFamilies, racing } from './refresh-race.ts'

const familyOf = async ({ deps }: TestService, refreshToken: string) => {
  const located = await deps.families.locate(refreshToken)
  if (located === undefined) throw new Error('not a genuine refresh token')
  return located
}

/** Status and code of all that was refused. */
const refusalsOf = (answers: readonly Answer[]): ReadonlySet<string> =>
  new Set(
    answers
      .filter(({ status }) => status !== 200)
      .map(({ status, body }) => [status, body.code].join()),
  )

test('refresh: 50 at once with one token on two nodes are one rotation, 50 answers, one successor', async (t) => {
  const nodes = await startNodes(t)
  const { refresh_token: parent } = await register(nodes[0].app)
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => refresh(nodes[index % 2 === 0 ? 0 : 1], parent)),
  )
  t.strictSame(new Set(answers.map(({ status }) => status)), new Set([200]))
  const successors = new Set(answers.map(tokenOf))
  t.equal(successors.size, 1)
  const [successor = ''] = successors
  t.equal((await familyOf(nodes[0], successor)).usable, true)
  t.equal((await refresh(nodes[1], successor)).status, 200)
})

test('refresh: 50 at once with one token are answered within the limit that a family has by default', async (t) => {
  const limit = loadConfig({}, () => '').rateLimits.refresh
  if (limit === undefined) return t.fail('there is no limit')
  t.ok(limit.points < 50)
  const RATE_LIMIT_REFRESH = `${limit.points}/${limit.seconds}`
  const service = await startService(t, { RATE_LIMIT_REFRESH })
  const { refresh_token: parent } = await register(service.app)

  const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(service, parent)))

  t.strictSame(new Set(answers.map(({ status }) => status)), new Set([200]))
  const [successor = '', ...others] = new Set(answers.map(tokenOf))
  t.strictSame(others, [])
  t.equal((await refresh(service, successor)).status, 200)
  return undefined
})

const strict = { REFRESH_GRACE_SECONDS: '0' }

test('refresh: in strict mode 50 at once are exactly one success, and the family ends', async (t) => {
  const service = await startService(t, strict)
  const { refresh_token: parent } = await register(service.app)
  const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(service, parent)))
  const [won, ...others] = answers.filter(({ status }) => status === 200)
  if (won === undefined) return t.fail('nobody succeeded')
  t.strictSame(others, [])
  t.strictSame(refusalsOf(answers), new Set(['401,reused_refresh_token']))
  t.match(await refresh(service, tokenOf(won)), {
    status: 401,
    body: { code: 'revoked_refresh_token' },
  })
  return undefined
})

// The node that rotated may hear of the other one's verdict before it answers: then it answers with
// that, since nothing that it could give would be accepted.
test('refresh: in strict mode 50 at once on two nodes are one rotation, answered once at most', async (t) => {
  const nodes = await startNodes(t, strict)
  const { refresh_token: parent, user } = await register(nodes[0].app)
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => refresh(nodes[index % 2 === 0 ? 0 : 1], parent)),
  )
  const won = answers.filter(({ status }) => status === 200)
  t.ok(won.length <= 1)
  t.strictSame(
    refusalsOf(answers),
    new Set(['401,reused_refresh_token', '401,revoked_refresh_token']),
  )
  const db = await connect(t, nodes[0])
  const family = await db
    .selectFrom('refresh_families')
    .select(['generation', 'revoked_reason'])
    .where('user_id', '=', user.id)
    .executeTakeFirst()
  t.strictSame(family, { generation: 2, revoked_reason: 'reused' })
  for (const answer of won) {
    t.match(await refresh(nodes[0], tokenOf(answer)), {
      status: 401,
      body: { code: 'revoked_refresh_token' },
    })
  }
})

test('refresh: 200 families at once, each by five requests, all go on without an error', async (t) => {
  const nodes = await startNodes(t, patience)
  const sessions: string[] = []
  for (let round = 0; round < 10; round += 1) {
    const people = await Promise.all(Array.from({ length: 20 }, () => register(nodes[0].app)))
    sessions.push(...people.map((person) => person.refresh_token))
  }
  const [one, other] = nodes
  await raceFamilies(t, [racing(one), racing(other)], sessions)
})

test('refresh: one token sprayed 400 at a time gets answers and 503s, and holds nobody else up', async (t) => {
  const service = await startService(t, { DATABASE_POOL_SIZE: '2' })
  const [sprayed, other] = [await register(service.app), await register(service.app)]
  const answers = Promise.all(
    Array.from({ length: 400 }, () =>
      service.app.inject({
        method: 'POST',
        url: '/refresh',
        payload: { refresh_token: sprayed.refresh_token },
      }),
    ),
  )
  t.equal((await refresh(service, other.refresh_token)).status, 200)
  const statuses = Map.groupBy(await answers, ({ statusCode }) => statusCode)
  t.strictSame(new Set(statuses.keys()), new Set([200, 503]))
  t.equal(statuses.get(200)?.length, 256, 'the length of the line')
  for (const { headers } of statuses.get(503) ?? []) t.equal(headers['retry-after'], '1')
  const successors = statuses.get(200)?.map((answer) => answer.json().refresh_token)
  t.equal(new Set(successors).size, 1)
})

test('refresh: a lost answer is made good by a retry, which continues the family', async (t) => {
  const service = await startService(t)
  const { refresh_token: parent } = await register(service.app)
  const lost = tokenOf(await refresh(service, parent))
  service.moveTime(29)
  const again = await refresh(service, parent)
  t.equal(tokenOf(again), lost, 'the same successor')
  t.equal(await isAccepted(service, again.body.access_token as string), true)
  t.equal((await refresh(service, lost)).status, 200)
})

test('refresh: after the window a retry ends the family, with its event and entry', async (t) => {
  const service = await startService(t)
  const { refresh_token: parent, access_token: accessToken, user } = await register(service.app)
  const successor = tokenOf(await refresh(service, parent))
  const { grant } = await familyOf(service, successor)
  service.moveTime(31)
  t.match(await refresh(service, parent), { status: 401, body: { code: 'reused_refresh_token' } })
  t.match(await refresh(service, successor), {
    status: 401,
    body: { code: 'revoked_refresh_token' },
  })
  t.match(await refresh(service, parent), { status: 401, body: { code: 'revoked_refresh_token' } })
  t.equal(await isAccepted(service, accessToken), false, 'its access tokens are dead too')
  const db = await connect(t, service)
  const events = await db
    .selectFrom('audit_events')
    .selectAll()
    .where('type', '=', 'family.reused')
    .execute()
  t.match(events, [
    {
      severity: 'critical',
      outcome: 'failure',
      actor: 'first-party',
      subject: user.id,
      client_id: 'first-party',
      session_id: grant.sessionId,
      family_id: grant.familyId,
      address: '127.0.0.1',
      details: { generation: 1 },
    },
  ])
  const entries = await db.selectFrom('revocations').selectAll().execute()
  t.match(entries, [{ kind: 'fam', value: grant.familyId, lifted: false }])
})

test('refresh: a retry after an outage of the database continues, although the window has passed', async (t) => {
  const service = await startService(t)
  const { refresh_token: parent } = await register(service.app)
  const lost = tokenOf(await refresh(service, parent))
  service.moveTime(60)
  const db = await connect(t, service)
  await sql`
    INSERT INTO outages VALUES (gen_random_uuid(), now() + interval '1 s', now() + interval '59 s')`.execute(
    db,
  )
  t.equal(tokenOf(await refresh(service, parent)), lost)
})

test('refresh: the grandparent ends the family even inside the window', async (t) => {
  const service = await startService(t)
  const { refresh_token: first } = await register(service.app)
  const second = tokenOf(await refresh(service, first))
  const third = tokenOf(await refresh(service, second))
  t.match(await refresh(service, first), { status: 401, body: { code: 'reused_refresh_token' } })
  t.match(await refresh(service, third), { status: 401, body: { code: 'revoked_refresh_token' } })
})

test('refresh: the window is fixed at the rotation, retries do not slide it', async (t) => {
  const service = await startService(t)
  const { refresh_token: parent } = await register(service.app)
  await refresh(service, parent)
  for (const seconds of [20, 9]) {
    service.moveTime(seconds)
    t.equal((await refresh(service, parent)).status, 200)
  }
  service.moveTime(2)
  t.match(await refresh(service, parent), { status: 401, body: { code: 'reused_refresh_token' } })
})

test('refresh: two rotations within one second do not confuse generations (keycloak PR 51885)', async (t) => {
  const service = await startService(t)
  const { refresh_token: first } = await register(service.app)
  const second = tokenOf(await refresh(service, first))
  const third = tokenOf(await refresh(service, second))
  t.equal(tokenOf(await refresh(service, second)), third, 'the parent is a retry')
  t.equal((await refresh(service, third)).status, 200)
})

test('refresh: a byte changed at any position is unknown, and the owner is unaffected', async (t) => {
  const service = await startService(t)
  const { refresh_token: token } = await register(service.app)
  const forged = Array.from({ length: token.length }, (_, position) => {
    const other = token[position] === 'A' ? 'B' : 'A'
    return token.slice(0, position) + other + token.slice(position + 1)
  })
  const answers = await Promise.all(forged.map((text) => refresh(service, text)))
  t.strictSame(
    new Set(answers.map(({ status, body }) => [status, body.code].join())),
    new Set(['401,invalid_refresh_token']),
  )
  t.equal((await refresh(service, token)).status, 200)
})

test('refresh: another client learns nothing, is audited once a minute, and the owner is unaffected', async (t) => {
  const service = await startService(t)
  const { refresh_token: token, user } = await register(service.app)
  const { client } = await service.deps.clientAdministration.create(
    { name: 'Thief', authenticationMethod: 'none', grantTypes: ['refresh_token'] },
    { actor: 'test', origin: {} },
  )
  const steal = () =>
    service.app.inject({
      method: 'POST',
      url: '/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: client.id,
        refresh_token: token,
      }).toString(),
    })
  for (const response of [await steal(), await steal()]) {
    t.equal(response.statusCode, 400)
    t.strictSame(response.json(), {
      error: 'invalid_grant',
      error_description: 'The refresh token is not valid',
      code: 'unknown',
    })
  }
  t.equal((await refresh(service, token)).status, 200)
  await service.deps.auditWriter.close()
  const db = await connect(t, service)
  const events = await db
    .selectFrom('audit_events')
    .select(['subject', 'actor'])
    .where('type', '=', 'family.refused_foreign')
    .execute()
  t.strictSame(events, [{ subject: user.id, actor: client.id }])
})
