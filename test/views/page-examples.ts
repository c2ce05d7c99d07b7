import type { PageData } from '../../src/views/page-data.ts'

const scopes = [
  { name: 'openid', text: 'know who you are, by an identifier' },
  { name: 'notes:read', text: 'use the permission “notes:read”' },
]
const duration = { key: 'consent.offline', values: { days: 30 } } as const
const client = 'Notes of a Rather Long-Named Company'
const email = 'jo.doe-with-a-long-name@department.example.com'

/** What each page may have to show, all of it. */
export const pageExamples: PageData = {
  'sign-in': {
    action: '/sign-in?request=1',
    username: email,
    client,
    registerHref: '/register?request=1',
    error: 'invalid_credentials',
  },
  register: {
    action: '/register',
    email,
    name: 'Jo',
    client,
    signInHref: '/sign-in',
    error: 'email_taken',
  },
  password: { action: '/password', session: '1', email, error: 'password_same' },
  accounts: {
    action: '/accounts?request=1',
    otherHref: '/sign-in?request=1',
    client,
    accounts: [
      { session: '1', email, name: 'Jo Doe' },
      { session: '2', email: 'kim@example.com', name: null },
    ],
  },
  consent: {
    action: '/consent?request=1',
    session: '1',
    email,
    switchHref: '/sign-in?request=1',
    client,
    logo: 'https://app.example/logo.png',
    links: [
      { name: 'site', href: 'https://app.example/' },
      { name: 'policy', href: 'https://app.example/privacy' },
      { name: 'terms', href: 'https://app.example/terms' },
    ],
    warning: 'unassured',
    scopes,
    details: [
      [
        { name: 'type', text: 'payment' },
        { name: 'amount', text: '10 EUR' },
      ],
    ],
    audiences: ['https://app.example/api'],
    duration,
    target: 'app.example',
  },
  account: {
    people: [
      {
        session: '1',
        email,
        sessions: [
          {
            id: '1',
            device: 'Firefox',
            address: '192.0.2.1',
            since: 'March 1, 2026',
            current: true,
          },
          { id: '2', device: null, address: null, since: 'March 2, 2026', current: false },
        ],
        consents: [
          { clientId: 'notes', client, since: 'March 3, 2026' },
          { clientId: 'gone', client: null, since: 'March 4, 2026' },
        ],
      },
      { session: '3', email: 'kim@example.com', sessions: [], consents: [] },
    ],
    signOutAction: '/account/sign-out',
    endSessionAction: '/account/end-session',
    endConsentAction: '/account/take-back',
    otherHref: '/sign-in',
  },
  'signed-out': {
    signInHref: '/sign-in',
    back: { href: 'https://app.example/bye', client },
  },
  logout: { action: '/logout', client, email, fields: { state: 'abc' } },
  device: { action: '/device', userCode: 'WDJB-MJHT', error: 'user_code' },
  'device-confirm': {
    action: '/device/confirm',
    client,
    userCode: 'WDJB-MJHT',
    email,
    scopes,
    details: [[{ name: 'type', text: 'payment' }]],
    audiences: ['api.example'],
    duration,
    fields: { user_code: 'WDJB-MJHT' },
  },
  'device-done': {},
  'device-denied': {},
  'form-post': { action: 'https://app.example/callback', fields: { code: 'abc', state: '"x"' } },
  error: {
    code: 'invalid_request',
    text: 'The app has sent a request that cannot be answered.',
    description: 'The client_id is missing or unknown',
    requestId: 'req-1',
    homeHref: '/account',
  },
}
