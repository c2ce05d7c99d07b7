import { Type } from 'typebox'
import type { Client } from '../clients/client.ts'
import { OAuthError, type OAuthErrorCode } from '../oauth/error.ts'
import { Unavailable } from '../oauth/unavailable.ts'
import { sha256 } from '../secrets/digest.ts'
import {
  type DeviceCodeStore,
  type DeviceRefusal,
  judgeDevice,
  type PresentedDeviceCode,
} from '../tokens/device-code.ts'
import type { Grant, GrantRequest } from './grant.ts'
import { type LoginOpening, openingOf } from './login-opening.ts'

type Dependencies = LoginOpening & { readonly devices: DeviceCodeStore }

/**
 * What a person authorized elsewhere, by the code of the device that waits for it (RFC 8628 §3.4).
 * A code that is another client's does not exist, and is not touched.
 */
export const createDeviceCodeGrant = (deps: Dependencies): Grant => ({
  grantType: 'urn:ietf:params:oauth:grant-type:device_code',
  parameters: Type.Object({
    device_code: Type.String({ description: 'For devices: the code that the device waits with' }),
  }),
  async authorize(request, client) {
    const presented = {
      digest: sha256(request.parameters.device_code ?? ''),
      clientId: client.id,
    }
    // Once more where it has been approved between two looks.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const result = await redeem(deps, presented, request, client)
      if (result !== 'again') return result
    }
    throw new Unavailable('the device code is being redeemed')
  },
})

const redeem = async (
  deps: Dependencies,
  presented: PresentedDeviceCode,
  request: GrantRequest,
  client: Client,
) => {
  const opening = openingOf(deps, request, client)
  const act = { actor: client.id, origin: request.origin }
  const redeemed = await deps.devices.redeem(presented, opening.open, act)
  if (redeemed === 'login_ended') throw toError('login_ended')
  if (redeemed !== undefined) return opening.resultOf(redeemed)
  const poll = await deps.devices.notePoll(presented)
  if (poll !== undefined) throw toError(poll.early ? 'early' : 'pending')
  const verdict = judgeDevice(await deps.devices.inspect(presented))
  if (verdict === 'again' || verdict === 'pending') return 'again'
  throw toError(verdict)
}

type Outcome = Exclude<DeviceRefusal, 'again'> | 'early' | 'login_ended'

const toError = (outcome: Outcome): OAuthError => {
  const [code, description, subCode] = errors[outcome]
  return new OAuthError(code, description, subCode === undefined ? {} : { subCode })
}

type Answer = readonly [code: OAuthErrorCode, description: string, subCode?: string]

// RFC 8628 §3.5: programs decide by these codes.
const errors: Readonly<Record<Outcome, Answer>> = {
  pending: ['authorization_pending', 'The person has not decided yet'],
  early: ['slow_down', 'Wait five seconds longer between two requests from now on'],
  denied: ['access_denied', 'The person has refused'],
  expired: ['expired_token', 'The device_code has expired'],
  unknown: ['invalid_grant', 'The device_code is not valid', 'unknown'],
  reused: ['invalid_grant', 'The device_code was used before', 'reused'],
  login_ended: [
    'invalid_grant',
    'The person has signed out, or may not sign in any more',
    'login_ended',
  ],
}
