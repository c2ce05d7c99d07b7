import t from 'tap'
import { serve } from './served.ts'

const { deps, run, json, sleep } = await serve(t)

type WireKey = { kid: string; alg: string; state: string; published_at: string }

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const algorithms = ['RS256', 'ES256', 'EdDSA', 'PS256']
const list = async () => (await json(['keys', 'list'])) as WireKey[]
const published = () =>
  (JSON.parse(deps.keyRing.jwks().body).keys as { kid: string }[]).map(({ kid }) => kid).sort()

t.test('list shows a signing key and a next one for each algorithm', async (t) => {
  const keys = await list()
  t.strictSame(
    keys.map(({ alg, state }) => `${alg} ${state}`).sort(),
    algorithms.flatMap((alg) => [`${alg} current`, `${alg} next`]).sort(),
  )
  t.strictSame(keys.map(({ kid }) => kid).sort(), published(), 'they are those of the JWKS')
  // By the schedule after 30 days, and the minute in which every node learns of it.
  const changeover = (time: string) =>
    new Date(Date.parse(time) + 30 * 86_400_000 + 60_000).toISOString()
  const dayLater = (time: string) => new Date(Date.parse(time) + 86_400_000).toISOString()
  for (const { kid, alg, state, published_at, ...times } of keys) {
    t.match(kid, /^[A-Za-z0-9_-]{43}$/)
    t.match(published_at, timestamp)
    const isNext = state === 'next'
    t.strictSame(times, {
      sign_from: isNext ? null : published_at,
      sign_until: null,
      drop_after: null,
      safe_to_rotate_at: isNext ? dayLater(published_at) : null,
      next_step: isNext ? 'sign' : 'retire',
      next_step_at: changeover(published_at),
    })
  }
})

t.test('rotate is refused, with the time at which it becomes safe', async (t) => {
  const keys = await list()
  const next = keys.find(({ alg, state }) => alg === 'ES256' && state === 'next')
  const safeAt = new Date(Date.parse(next?.published_at ?? '') + 86_400_000).toISOString()
  const { code, stdout, stderr } = await run(['keys', 'rotate', '--algorithm', 'ES256', '--json'])
  t.strictSame({ code, stderr }, { code: 1, stderr: 'Not rotated: ES256\n' })
  t.strictSame(JSON.parse(stdout), [
    {
      alg: 'ES256',
      outcome: 'refused',
      reason: 'verifiers may not know the next key yet',
      safe_at: safeAt,
    },
  ])
  t.strictSame(await run(['keys', 'rotate', '--algorithm', 'ES256']), {
    code: 1,
    stdout: `ES256: refused, verifiers may not know the next key yet; safe from ${safeAt}\n`,
    stderr: 'Not rotated: ES256\n',
  })
  t.strictSame(await list(), keys, 'nothing was changed')
})

t.test('once it is safe, --dry-run says what rotate then does', async (t) => {
  sleep(86_401)
  const before = await list()
  const kidOf = (alg: string, state: string) =>
    before.find((key) => key.alg === alg && key.state === state)?.kid
  const plans = (await json(['keys', 'rotate', '--dry-run'])) as {
    sign_from: string
    drop_after: string
  }[]
  for (const { sign_from, drop_after } of plans) {
    t.match(sign_from, timestamp)
    t.match(drop_after, timestamp)
  }
  t.strictSame(
    plans.map(({ sign_from, drop_after, ...plan }) => plan),
    algorithms.map((alg) => ({
      alg,
      outcome: 'planned',
      retire: kidOf(alg, 'current'),
      promote: kidOf(alg, 'next'),
    })),
  )
  t.strictSame(await list(), before, 'nothing was changed')

  const [done] = (await json(['keys', 'rotate', '--algorithm', 'EdDSA'])) as [
    { sign_from: string; drop_after: string },
  ]
  t.strictSame(done, {
    alg: 'EdDSA',
    outcome: 'rotated',
    retire: kidOf('EdDSA', 'current'),
    promote: kidOf('EdDSA', 'next'),
    sign_from: done.sign_from,
    drop_after: done.drop_after,
  })
  sleep(61)
  const after = await list()
  const states = Object.fromEntries(after.map(({ kid, state }) => [kid, state]))
  t.strictSame(
    [states[kidOf('EdDSA', 'current') ?? ''], states[kidOf('EdDSA', 'next') ?? '']],
    ['retired', 'current'],
  )
  t.equal(after.length, before.length + 1, 'and a new next key is published')
  t.strictSame(published(), after.map(({ kid }) => kid).sort(), 'the JWKS follows at once')
})

t.test('for people rotate says who signs now and how long the old key stays', async (t) => {
  const { code, stdout, stderr } = await run(['keys', 'rotate', '--algorithm', 'ES256'])
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  t.match(
    stdout,
    /^ES256: \S{43} signs from \d{4}-\S+Z; \S{43} stays published until \d{4}-\S+Z\n$/,
  )
  sleep(61)
  const { stdout: table } = await run(['keys', 'list'])
  t.match(
    table,
    /^ALGORITHM +STATE +KID +SIGNS FROM +SIGNS UNTIL +PUBLISHED UNTIL +MAY SIGN FROM +NEXT STEP +AT\n/,
  )
  t.match(table, /^ES256 +retired +\S{43} +\S+Z +\S+Z +\S+Z +- +remove +\S+Z$/m)
})

t.test('rotate --mac makes a key for refresh tokens, one at a time', async (t) => {
  const first = (await json(['keys', 'rotate', '--mac'])) as { use_from: string }
  t.match(first.use_from, timestamp)
  t.strictSame(first, { outcome: 'rotated', number: 2, use_from: first.use_from })
  const { code, stdout, stderr } = await run(['keys', 'rotate', '--mac', '--json'])
  t.strictSame({ code, stderr }, { code: 1, stderr: 'Not rotated: the MAC key\n' })
  t.strictSame(JSON.parse(stdout), {
    outcome: 'refused',
    reason: 'the last new MAC key is not in use on every node yet',
    safe_at: first.use_from,
  })
})

t.test(
  'list --mac shows the keys of refresh tokens and when each is replaced or dropped',
  async (t) => {
    const keys = (await json(['keys', 'list', '--mac'])) as Record<string, string>[]
    t.match(keys, [
      {
        number: 1,
        state: 'current',
        use_from: timestamp,
        replaced_at: null,
        drop_after: timestamp,
      },
      { number: 2, state: 'next', use_from: timestamp, replaced_at: timestamp, drop_after: null },
    ])
    const { stdout } = await run(['keys', 'list', '--mac'])
    t.match(
      stdout,
      /^NUMBER +STATE +USED FROM +REPLACED AT +KEPT UNTIL\n1 +current +\S+Z +- +\S+Z\n/,
    )
  },
)

t.test('reseal has nothing to do while all is sealed with the newest key', async (t) => {
  t.strictSame(await json(['keys', 'reseal']), { resealed: 0 })
  t.strictSame(await run(['keys', 'reseal']), {
    code: 0,
    stdout: 'Keys sealed with the newest key-encryption key: 0\n',
    stderr: '',
  })
})

t.test('audiences set and list', async (t) => {
  t.strictSame(await json(['audiences', 'list']), [])
  const strict = {
    audience: 'https://api.example',
    signing_algorithm: 'ES256',
    access_token_ttl_seconds: 300,
    scope: ['read', 'write'],
  }
  t.strictSame(
    await json([
      ...['audiences', 'set', 'https://api.example'],
      ...['--algorithm', 'ES256', '--access-token-ttl-seconds', '300'],
      ...['--scope', 'read', 'write'],
    ]),
    strict,
  )
  const loose = {
    audience: 'plain',
    signing_algorithm: null,
    access_token_ttl_seconds: null,
    scope: null,
  }
  t.strictSame(await json(['audiences', 'set', 'plain']), loose)
  t.strictSame(await json(['audiences', 'list']), [strict, loose])
  t.strictSame(await run(['audiences', 'list']), {
    code: 0,
    stdout: [
      'AUDIENCE             ALGORITHM  TOKEN LIFETIME (S)  SCOPE',
      'https://api.example  ES256      300                 read write',
      'plain                -          -                   -',
      '',
    ].join('\n'),
    stderr: '',
  })
  t.strictSame(await run(['audiences', 'set', 'no spaces']), {
    code: 1,
    stdout: '',
    stderr: 'The audience must be a URI or a plain name\n',
  })
})

t.test('migrate has nothing to do where a server runs, and undoes nothing under it', async (t) => {
  const { applied } = await deps.readSchemaStatus()
  t.strictSame(await json(['migrate', '--status']), { state: 'current', applied, pending: [] })
  t.strictSame(await json(['migrate']), { applied: [] })
  t.strictSame(await run(['migrate']), {
    code: 0,
    stdout: 'Nothing to do: the schema is up to date\n',
    stderr: '',
  })
  t.strictSame(await run(['migrate', '--undo']), {
    code: 1,
    stdout: '',
    stderr: 'The server works with this schema: stop it first\n',
  })
})
