import { addSeconds, type Clock, toNumericDate } from '../clock.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { SigningAlgorithm } from '../oauth/algorithm.ts'
import { randomId } from '../secrets/random.ts'
import type { Subjects } from './subjects.ts'

export type LogoutTokenRequest = {
  readonly clientId: string
  readonly userId: string
  readonly sessionId: string
  readonly algorithm: SigningAlgorithm
}

export type LogoutTokenIssuer = {
  /** Signs a logout token (Back-Channel Logout §2.4), which is good for two minutes. */
  issueLogoutToken(request: LogoutTokenRequest): Promise<string>
}

type Options = {
  readonly issuer: string
  readonly keyRing: Pick<KeyRing, 'sign'>
  readonly subjects: Pick<Subjects, 'subjectOf'>
  readonly clock: Clock
}

const lifetimeSeconds = 120
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

export const createLogoutTokenIssuer = (options: Options): LogoutTokenIssuer => ({
  async issueLogoutToken({ clientId, userId, sessionId, algorithm }) {
    const now = options.clock()
    return options.keyRing.sign(algorithm, 'logout+jwt', {
      iss: options.issuer,
      sub: await options.subjects.subjectOf(clientId, userId),
      aud: clientId,
      iat: toNumericDate(now),
      exp: toNumericDate(addSeconds(now, lifetimeSeconds)),
      jti: randomId(),
      sid: sessionId,
      events: { [logoutEvent]: {} },
    })
  },
})
