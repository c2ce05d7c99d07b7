import { test } from 'tap'
import { isProblem } from '../auth/api.ts'
import { startAdminApi } from './admin-api.ts'

test('signing keys as administrators see and rotate them', async (t) => {
  const api = await startAdminApi(t)
  const admin = await api.joinAdmin()
  const { token, id } = admin
  const keys = async () => (await api.get('/admin/keys', token)).json.keys as Key[]
  const before = await keys()

  await t.test('each algorithm has one that signs and one that is next', async (t) => {
    const states = before.map(({ alg, state }) => `${alg} ${state}`).sort()
    const algorithms = ['ES256', 'EdDSA', 'PS256', 'RS256']
    t.strictSame(
      states,
      algorithms.flatMap((alg) => [`${alg} current`, `${alg} next`]),
    )
  })

  await t.test('a rotation is planned without being done, and refused while unsafe', async (t) => {
    const plan = await api.get('/admin/keys/plan', token)
    t.equal(plan.status, 200)
    for (const { outcome, safe_at, alg } of plan.json.plans) {
      const next = before.find((key) => key.alg === alg && key.state === 'next')
      t.strictSame({ outcome, safe_at }, { outcome: 'refused', safe_at: next?.safe_to_rotate_at })
    }
    const refused = await api.post('/admin/keys/rotate', undefined, token)
    t.strictSame(refused.json, plan.json)
    t.strictSame(await keys(), before)
  })

  await t.test('once it is safe it is done, by the name of the administrator', async (t) => {
    api.moveTime(25 * 60 * 60)
    const token = (await api.signIn(admin)).token
    const dry = await api.post('/admin/keys/rotate', { algorithm: 'ES256', dry_run: true }, token)
    t.match(dry.json, { plans: [{ alg: 'ES256', outcome: 'planned' }] })
    const { json } = await api.post('/admin/keys/rotate', { algorithm: 'ES256' }, token)
    t.match(json, {
      plans: [{ ...dry.json.plans[0], outcome: 'rotated', sign_from: String, drop_after: String }],
    })
    const { actor } = await api.db
      .selectFrom('audit_events')
      .select('actor')
      .where('type', '=', 'key.rotated')
      .where('actor', '=', id)
      .executeTakeFirstOrThrow()
    t.equal(actor, id)
  })

  await t.test('an unknown algorithm is refused', async (t) => {
    const token = (await api.signIn(admin)).token
    const answer = await api.post('/admin/keys/rotate', { algorithm: 'HS256' }, token)
    const message = 'must be one of RS256, ES256, EdDSA, PS256'
    isProblem(t, answer, 'validation', { fields: [{ field: 'algorithm', message }] })
  })
})

type Key = {
  readonly alg: string
  readonly state: string
  readonly safe_to_rotate_at: string | null
}
