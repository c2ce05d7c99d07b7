import type { Client } from '../clients/client.ts'
import { addSeconds, type Clock, toNumericDate } from '../clock.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { OAuthError } from '../oauth/error.ts'
import type { AuthorizationResponse } from './authorization-response.ts'
import type { RedirectTarget } from './redirect-target.ts'

/** Makes what goes back to the client by way of the browser. */
export type Answers = {
  /** @param parameters by their names on the wire; `state` and `iss` are added */
  make(
    target: RedirectTarget,
    client: Client,
    parameters: Readonly<Record<string, string>>,
  ): Promise<AuthorizationResponse>
  /** RFC 6749 §4.1.2.1. */
  makeError(
    target: RedirectTarget,
    client: Client,
    error: Pick<OAuthError, 'code' | 'description'>,
  ): Promise<AuthorizationResponse>
}

type Options = {
  readonly issuer: string
  readonly keyRing: Pick<KeyRing, 'sign'>
  readonly clock: Clock
}

/** JARM §2.1: at most ten minutes. */
const lifetimeSeconds = 300

export const createAnswers = ({ issuer, keyRing, clock }: Options): Answers => {
  const make: Answers['make'] = async (target, client, parameters) => {
    const { redirectUri, responseMode, state } = target
    // RFC 9207 §2: in every answer.
    const all = { ...parameters, ...(state === undefined ? {} : { state }), iss: issuer }
    if (!responseMode.endsWith('jwt')) return { redirectUri, responseMode, parameters: all }
    const now = clock()
    const response = await keyRing.sign(client.settings.authorizationSignedResponseAlg, 'JWT', {
      ...all,
      aud: client.id,
      iat: toNumericDate(now),
      exp: toNumericDate(addSeconds(now, lifetimeSeconds)),
    })
    return { redirectUri, responseMode, parameters: { response } }
  }

  return {
    make,
    makeError: (target, client, { code, description }) =>
      make(target, client, { error: code, error_description: description }),
  }
}
