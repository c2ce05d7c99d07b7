import t from 'tap'
import { serve } from '../cli/served.ts'

const { deps, db, run, json, sleep } = await serve(t)

type WireKey = { kid: string; alg: string; state: string }
type WirePlan = {
  outcome: string
  revoked: string[]
  promoted: string | null
  consequences: { who: string; until: string | null }[]
}

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const list = async () => (await json(['keys', 'list'])) as WireKey[]
const kidOf = async (alg: string, state: string): Promise<string> =>
  (await list()).find((key) => key.alg === alg && key.state === state)?.kid ?? ''
const states = async (alg: string) =>
  (await list()).filter((key) => key.alg === alg).map(({ kid, state }) => `${kid} ${state}`)
const promote = (...words: string[]) => ['keys', 'promote-next', '--algorithm', 'ES256', ...words]
const refusedTokens =
  'Access tokens of the revoked keys are refused: by this service within a second, by verifiers that cache the keys up to this moment; applications have to refresh'
const criticalEvents = () =>
  db.selectFrom('audit_events').selectAll().where('severity', '=', 'critical').execute()

t.test('without --yes nothing is done, and it is said who would be hurt', async (t) => {
  const [current, next] = [await kidOf('ES256', 'current'), await kidOf('ES256', 'next')]
  const before = await list()
  const words = promote('--revoke', current)
  const plan = (await json([...words, '--dry-run'])) as WirePlan
  for (const { until } of plan.consequences) t.match(until, timestamp)
  t.strictSame(
    { ...plan, consequences: plan.consequences.map(({ who }) => who) },
    {
      outcome: 'planned',
      revoked: [current],
      promoted: next,
      consequences: [
        refusedTokens,
        'Verifiers that have not read the next key yet refuse new access tokens',
      ],
    },
  )
  const { code, stdout, stderr } = await run(words)
  t.strictSame(
    { code, stderr },
    { code: 1, stderr: 'Nothing was done: repeat the command with --yes\n' },
  )
  const lines = stdout.split('\n')
  t.strictSame(lines.slice(0, 2), [`Would be revoked: ${current}`, `Would sign: ${next}`])
  t.match(lines[2], /^- Access tokens of the revoked keys .* \(until \d{4}-\S+Z\)$/)
  t.strictSame(await list(), before)
  t.strictSame(await criticalEvents(), [])
})

t.test(
  'promote-next revokes the key; the next one signs at once and has a successor',
  async (t) => {
    sleep(3600)
    const [current, next] = [await kidOf('ES256', 'current'), await kidOf('ES256', 'next')]
    const done = (await json(promote('--revoke', current, '--yes'))) as WirePlan
    t.strictSame(
      { ...done, consequences: done.consequences.map(({ who }) => who) },
      { outcome: 'done', revoked: [current], promoted: next, consequences: [refusedTokens] },
      'the next key was published long enough to be known everywhere',
    )
    const successor = await kidOf('ES256', 'next')
    t.strictSame(await states('ES256'), [`${next} current`, `${successor} next`])
    const published = deps.keyRing.jwks().body
    t.strictSame(
      [current, next, successor].map((kid) => published.includes(kid)),
      [false, true, true],
    )
    t.equal(deps.revocations.revokedBy({ keyId: current }), 'kid')
    t.match(await criticalEvents(), [
      {
        type: 'key.revoked',
        actor: 'cli',
        details: { key_id: current, algorithm: 'ES256', promoted: next },
      },
    ])
  },
)

t.test('what cannot be revoked is refused with a reason', async (t) => {
  const before = await list()
  const other = await kidOf('RS256', 'current')
  const reasons = { unknown: 'no published key has this id', [other]: 'the key is of RS256' }
  for (const [kid, reason] of Object.entries(reasons)) {
    t.strictSame(await run(promote('--revoke', kid, '--yes')), {
      code: 1,
      stdout: `Refused: ${reason}\n`,
      stderr: 'Nothing was done\n',
    })
  }
  t.strictSame(await list(), before)
  for (const words of [['--yes'], ['--revoke', other, '--yes', '--dry-run']]) {
    t.equal((await run(promote(...words))).code, 2, words.join(' '))
  }
})

t.test('replace-all makes every key a new one and signs everybody out', async (t) => {
  const before = (await list()).map(({ kid }) => kid)
  const planned = (await json(['keys', 'replace-all', '--dry-run'])) as WirePlan
  t.strictSame(planned.revoked.toSorted(), before.toSorted())
  t.strictSame(
    planned.consequences.map(({ who }) => who),
    [
      refusedTokens,
      'Verifiers that have not read the new keys yet refuse new access tokens',
      'Everybody is signed out: all refresh tokens are refused',
    ],
  )
  t.strictSame(
    (await list()).map(({ kid }) => kid),
    before,
  )

  const done = (await json(['keys', 'replace-all', '--yes'])) as WirePlan
  t.strictSame(
    { outcome: done.outcome, promoted: done.promoted },
    { outcome: 'done', promoted: null },
  )
  const after = await list()
  t.strictSame(
    after.filter(({ kid }) => before.includes(kid)),
    [],
  )
  t.strictSame(
    after.map(({ alg, state }) => `${alg} ${state}`),
    ['ES256', 'EdDSA', 'PS256', 'RS256'].flatMap((alg) => [`${alg} current`, `${alg} next`]),
  )
  t.match(await json(['keys', 'list', '--mac']), [
    { number: 2, state: 'current', drop_after: null },
  ])
  const events = await criticalEvents()
  t.match(events.at(-1), {
    type: 'key.all_replaced',
    actor: 'cli',
    details: { refresh_tokens: 'refused' },
  })
})

t.test('replace-all may keep refresh tokens, and says what the leak still allows', async (t) => {
  const words = ['keys', 'replace-all', '--keep-refresh-tokens', '--yes']
  const { code, stdout, stderr } = await run(words)
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  t.match(
    stdout,
    /^- Whoever has the leaked MAC keys can still end sign-ins, though not use them \(until \d{4}-\S+Z\)$/m,
  )
  t.match(await json(['keys', 'list', '--mac']), [
    { number: 2, state: 'retired', drop_after: timestamp },
    { number: 3, state: 'current', drop_after: null },
  ])
})
