import { test } from 'tap'
import { createRefreshTokenGrant } from '../../src/grants/refresh-token.ts'
import { OAuthError } from '../../src/oauth/error.ts'
import type { Refusal } from '../../src/tokens/refresh-family.ts'
import type { RefreshRequest } from '../../src/tokens/refresh-request.ts'
import type { Refresher, RefreshResult } from '../../src/tokens/refresher.ts'
import { makeClient } from '../support/new-client.ts'

const tokens = {
  accessToken: 'a',
  tokenType: 'Bearer',
  expiresIn: 900,
  refreshToken: 'r2',
  scope: ['account'],
} as const
const authorization = {
  clientId: 'svc_a',
  subject: 'somebody',
  scope: ['account'],
  audience: ['https://a.example'],
  issuedAt: new Date(0),
}
const renewed = { tokens, authorization, claimsRequest: null }
const request = {
  parameters: { refresh_token: 'r1' },
  scope: undefined,
  audience: undefined,
  confirmation: undefined,
  origin: { address: '192.0.2.1' },
}

/** The grant over a refresher that always answers the same, and what that was asked. */
const makeGrant = (result: RefreshResult, refreshGraceSeconds = 30) => {
  const asked: RefreshRequest[] = []
  const refresher: Refresher = {
    refresh: async (each) => {
      asked.push(each)
      return result
    },
  }
  return { grant: createRefreshTokenGrant({ refresher, refreshGraceSeconds }), asked }
}

for (const outcome of ['rotated', 'retried'] as const) {
  test(`refresh_token: what was ${outcome} is answered with its tokens`, async (t) => {
    const { grant } = makeGrant({ outcome, ...renewed })
    t.strictSame(await grant.authorize(request, makeClient()), { tokens, authorization })
  })
}

test('refresh_token: the policy is the client’s, and the service’s where it has none', async (t) => {
  const { grant, asked } = makeGrant({ outcome: 'rotated', ...renewed })
  const strict = makeClient({
    id: 'svc_a',
    refreshGraceSeconds: 0,
    refreshRetryElsewhere: 'refuse',
  })
  await grant.authorize(request, makeClient({ id: 'svc_b' }))
  await grant.authorize({ ...request, scope: ['x'], audience: ['https://a.example'] }, strict)
  t.strictSame(asked, [
    {
      refreshToken: 'r1',
      clientId: 'svc_b',
      policy: { graceSeconds: 30, retryElsewhere: 'allow', rotation: 'rotate' },
      origin: { address: '192.0.2.1' },
    },
    {
      refreshToken: 'r1',
      clientId: 'svc_a',
      policy: { graceSeconds: 0, retryElsewhere: 'refuse', rotation: 'rotate' },
      scope: ['x'],
      audience: ['https://a.example'],
      origin: { address: '192.0.2.1' },
    },
  ])
})

const unknown = ['invalid_grant', 'unknown', 'The refresh token is not valid']
const refusals: Record<Refusal, (string | undefined)[]> = {
  unknown,
  wrong_client: unknown,
  wrong_confirmation: unknown,
  revoked: ['invalid_grant', 'revoked', 'The refresh token was revoked'],
  subject_disabled: ['invalid_grant', 'subject_disabled', 'The user is disabled'],
  expired_absolute: [
    'invalid_grant',
    'expired_absolute',
    'The sign-in has reached its longest duration',
  ],
  expired_idle: ['invalid_grant', 'expired_idle', 'The refresh token was not used for too long'],
  retry_refused: [
    'invalid_grant',
    'retry_refused',
    'The refresh token was used before, from somewhere else',
  ],
  diverged: [
    'invalid_grant',
    'diverged',
    'The service has lost track of the sign-in; sign in again',
  ],
  reused: [
    'invalid_grant',
    'reused',
    'The refresh token was used before; its family has been ended',
  ],
  invalid_scope: ['invalid_scope', undefined, 'The scope is beyond what was granted'],
  invalid_target: ['invalid_target', undefined, 'The resource is beyond what was granted'],
}

for (const [outcome, expected] of Object.entries(refusals)) {
  test(`refresh_token: ${outcome} is refused as ${expected[1] ?? expected[0]}`, async (t) => {
    const { grant } = makeGrant({ outcome: outcome as Refusal })
    const error = await grant.authorize(request, makeClient()).catch((thrown: unknown) => thrown)
    if (!(error instanceof OAuthError)) throw error
    t.strictSame([error.code, error.subCode, error.description], expected)
    t.equal(error.status, 400)
  })
}
