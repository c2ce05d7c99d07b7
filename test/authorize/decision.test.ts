import fc from 'fast-check'
import t from 'tap'
import type { BrowserSession } from '../../src/accounts/browser-session.ts'
import { prompts } from '../../src/authorize/authorization-request.ts'
import { needsConsent, type Situation, selectSession } from '../../src/authorize/decision.ts'

const at = (seconds: number): Date => new Date(1_800_000_000_000 + seconds * 1000)

const sessionOf = (name: string, signedInAt: number): BrowserSession => ({
  id: `session of ${name}`,
  userId: name,
  email: `${name}@example.com`,
  name: null,
  authTime: at(signedInAt),
  amr: ['pwd'],
  acr: null,
  mustChangePassword: false,
})

const ann = sessionOf('ann', -100)
const ben = sessionOf('ben', -200)

/** A request that has just arrived, at second 0. */
const situation = (
  request: Partial<Situation['request']> = {},
  rest: Partial<Omit<Situation, 'request'>> = {},
): Situation => ({
  request: { prompt: [], ...request },
  createdAt: undefined,
  now: at(0),
  sessions: [ann],
  chosen: null,
  ...rest,
})

const page = (name: 'sign_in' | 'accounts') => ({ kind: 'page', page: name })
const session = (of: BrowserSession) => ({ kind: 'session', session: of })
const error = (code: string) => ({ kind: 'error', code })
/** Ann signed in since the request arrived. */
const annAnew = sessionOf('ann', 10)
const later = { createdAt: at(0), now: at(20) }

const cases: Record<string, readonly [Situation, object]> = {
  'nobody is signed in': [situation({}, { sessions: [] }), page('sign_in')],
  'one is signed in': [situation(), session(ann)],
  'two are signed in': [situation({}, { sessions: [ann, ben] }), page('accounts')],
  'two are signed in, one was picked': [
    situation({}, { ...later, sessions: [ann, ben], chosen: ben.id }),
    session(ben),
  ],
  'the picked session has ended': [
    situation({}, { ...later, sessions: [ann, ben], chosen: 'session of somebody' }),
    page('accounts'),
  ],
  'two are signed in, one of them for this request': [
    situation({}, { ...later, sessions: [annAnew, ben] }),
    session(annAnew),
  ],
  'login_hint names one of two': [
    situation({ loginHint: 'BEN@example.com' }, { sessions: [ann, ben] }),
    session(ben),
  ],
  'login_hint names somebody else': [situation({ loginHint: 'x@example.com' }), session(ann)],
  'prompt=none, nobody is signed in': [
    situation({ prompt: ['none'] }, { sessions: [] }),
    error('login_required'),
  ],
  'prompt=none, two are signed in': [
    situation({ prompt: ['none'] }, { sessions: [ann, ben] }),
    error('account_selection_required'),
  ],
  'prompt=none, the sign-in is too old': [
    situation({ prompt: ['none'], maxAge: 50 }),
    error('login_required'),
  ],
  'prompt=login': [situation({ prompt: ['login'] }), page('sign_in')],
  'prompt=login, signed in before the request came back': [
    situation({ prompt: ['login'] }, { ...later }),
    page('sign_in'),
  ],
  'prompt=login, signed in since': [
    situation({ prompt: ['login'] }, { ...later, sessions: [annAnew] }),
    session(annAnew),
  ],
  'prompt=login, signed in since, an older session picked': [
    situation({ prompt: ['login'] }, { ...later, sessions: [annAnew, ben], chosen: ben.id }),
    page('sign_in'),
  ],
  'prompt=select_account': [situation({ prompt: ['select_account'] }), page('accounts')],
  'prompt=select_account, picked': [
    situation({ prompt: ['select_account'] }, { ...later, chosen: ann.id }),
    session(ann),
  ],
  'max_age not reached': [situation({ maxAge: 101 }), session(ann)],
  'max_age reached': [situation({ maxAge: 100 }), page('sign_in')],
  'max_age=0 is prompt=login (Core §3.1.2.1)': [situation({ maxAge: 0 }), page('sign_in')],
  'max_age=0, signed in since': [
    situation({ maxAge: 0 }, { ...later, sessions: [annAnew] }),
    session(annAnew),
  ],
  'the hinted person is one of two': [
    situation({ hintedSubject: 'ben' }, { sessions: [ann, ben] }),
    session(ben),
  ],
  'the hinted person is not there': [situation({ hintedSubject: 'ben' }), page('sign_in')],
  'somebody else than the hinted person signed in for the request': [
    situation({ hintedSubject: 'ben' }, { ...later, sessions: [annAnew] }),
    error('login_required'),
  ],
}

for (const [name, [given, expected]] of Object.entries(cases)) {
  t.test(`${name}: ${JSON.stringify(expected).slice(0, 60)}`, async (t) => {
    t.same(selectSession(given), expected)
  })
}

const anySession = fc
  .record({
    name: fc.constantFrom('ann', 'ben', 'cleo'),
    signedInAt: fc.integer({ min: -500, max: 100 }),
  })
  .map(({ name, signedInAt }) => sessionOf(name, signedInAt))

const anySituation: fc.Arbitrary<Situation> = fc.record({
  request: fc.record(
    {
      prompt: fc.uniqueArray(fc.constantFrom(...prompts), { maxLength: 3 }),
      maxAge: fc.nat({ max: 600 }),
      hintedSubject: fc.constantFrom('ann', 'ben'),
      loginHint: fc.constantFrom('ann@example.com', 'ben@example.com'),
    },
    { requiredKeys: ['prompt'] },
  ),
  createdAt: fc.option(fc.integer({ min: -50, max: 50 }).map(at), { nil: undefined }),
  now: fc.integer({ min: 100, max: 200 }).map(at),
  sessions: fc.uniqueArray(anySession, { maxLength: 3, selector: ({ id }) => id }),
  chosen: fc.option(fc.constantFrom('session of ann', 'session of ben'), { nil: null }),
})

t.test('every situation has one answer, which meets every demand', async () => {
  fc.assert(
    fc.property(anySituation, (given) => {
      const { request, createdAt, now, sessions } = given
      const selection = selectSession(given)
      if (selection.kind === 'page') return !request.prompt.includes('none')
      if (selection.kind === 'error') {
        return request.prompt.includes('none') || request.hintedSubject !== undefined
      }
      const { authTime, userId } = selection.session
      const isNew = createdAt !== undefined && authTime >= createdAt
      const age = (now.getTime() - authTime.getTime()) / 1000
      return (
        sessions.includes(selection.session) &&
        (request.hintedSubject ?? userId) === userId &&
        (isNew || !request.prompt.includes('login')) &&
        (isNew || age < (request.maxAge ?? Number.POSITIVE_INFINITY))
      )
    }),
    { numRuns: 2000 },
  )
})

const consent = {
  userId: 'ann',
  clientId: 'app',
  scope: ['read', 'write'],
  audience: ['https://api.example'],
  authorizationDetails: [{ type: 'payment', amount: 10, to: { iban: 'x', name: 'y' } }],
  grantedAt: at(-100),
}
const wish = {
  request: { prompt: [], scope: ['read'] },
  audience: ['https://api.example'],
  policy: 'remember',
  createdAt: undefined,
  consent,
} as const
const renewed = { createdAt: at(0), consent: { ...consent, grantedAt: at(0) } }
const asked = { prompt: ['consent'], scope: ['read'] } as const
const detail = (amount: number) => ({ type: 'payment', to: { name: 'y', iban: 'x' }, amount })

const consents: Record<string, readonly [Parameters<typeof needsConsent>[0], boolean]> = {
  'nothing was allowed yet': [{ ...wish, consent: undefined }, true],
  'it was allowed before': [wish, false],
  'a scope more': [{ ...wish, request: { prompt: [], scope: ['read', 'admin'] } }, true],
  'an audience more': [{ ...wish, audience: ['https://api.example', 'https://b.example'] }, true],
  'the same detail': [
    { ...wish, request: { ...wish.request, authorizationDetails: [detail(10)] } },
    false,
  ],
  'another detail': [
    { ...wish, request: { ...wish.request, authorizationDetails: [detail(11)] } },
    true,
  ],
  'prompt=consent': [{ ...wish, request: asked }, true],
  'prompt=consent, allowed since': [{ ...wish, ...renewed, request: asked }, false],
  'prompt=consent for an app of the operator': [{ ...wish, policy: 'skip', request: asked }, true],
  'an app of the operator': [{ ...wish, policy: 'skip', consent: undefined }, false],
  'a client that asks always': [{ ...wish, policy: 'always' }, true],
  'a client that asks always, allowed since': [{ ...wish, ...renewed, policy: 'always' }, false],
}

for (const [name, [given, expected]] of Object.entries(consents)) {
  t.test(`${name}: the user is ${expected ? '' : 'not '}asked`, async (t) => {
    t.equal(needsConsent(given), expected)
  })
}
