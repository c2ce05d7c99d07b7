import { Type } from 'typebox'
import type { Client } from '../clients/client.ts'
import { invalidRequest } from '../oauth/error.ts'
import { isCodeVerifier, toCodeChallenge } from '../oauth/pkce.ts'
import { sha256 } from '../secrets/digest.ts'
import type { PresentedCode } from '../tokens/authorization-code.ts'
import { type CodeRedemption, redeemCode } from './code-redemption.ts'
import type { Grant, GrantRequest } from './grant.ts'
import { type LoginOpening, openingOf } from './login-opening.ts'

type Dependencies = CodeRedemption & LoginOpening

/**
 * What a person authorized, by the code that the browser brought back (OAuth 2.1 §4.1.3). A code
 * that is refused is not used up; a second use of one ends what the first gave.
 */
export const createAuthorizationCodeGrant = (deps: Dependencies): Grant => ({
  grantType: 'authorization_code',
  parameters: Type.Object(
    {
      code: Type.String({ description: 'For `authorization_code`: what the browser brought back' }),
      redirect_uri: Type.String({ description: 'The one of the authorization request' }),
      code_verifier: Type.String({ description: 'Of which the challenge was made (RFC 7636)' }),
    },
    { required: ['code'] },
  ),
  async authorize(request, client) {
    const presented = readPresented(request, client)
    const opening = openingOf(deps, request, client)
    const redeemed = await redeemCode(deps, presented, opening.open, request.origin)
    return opening.resultOf(redeemed)
  },
})

const readPresented = (
  { parameters, confirmation }: GrantRequest,
  { id: clientId }: Client,
): PresentedCode => {
  const { code = '', redirect_uri: redirectUri, code_verifier: verifier } = parameters
  if (verifier !== undefined && !isCodeVerifier(verifier)) {
    throw invalidRequest('code_verifier must be 43 to 128 unreserved characters')
  }
  return {
    digest: sha256(code),
    clientId,
    redirectUri,
    codeChallenge: verifier === undefined ? undefined : toCodeChallenge(verifier),
    dpopJkt: confirmation && 'jkt' in confirmation ? confirmation.jkt : undefined,
  }
}
