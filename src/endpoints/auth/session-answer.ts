import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { SignedIn } from '../../accounts/session-start.ts'
import type { Config } from '../../config.ts'
import { browserSessionsOf } from '../../plugins/browser-sessions.ts'
import type { RenewableTokens } from '../../tokens/authorization.ts'
import type { AuthDeps } from './auth-deps.ts'
import { toWireTokens, type WireTokens } from './tokens-schema.ts'

/** The member by which a browser asks for cookies. */
export const cookiesMember = Type.Optional(
  Type.Boolean({
    description:
      'true: the tokens are also set as cookies, and the refresh token stands nowhere else; the answer has a `csrf_token` for later requests. Absent: as the service is configured (`SESSION_COOKIES`), and for a refresh by cookie true',
  }),
)

/**
 * Whether cookies are to be set. What the request says wins over the setting.
 * @param byCookie the request came with the cookie that is to be renewed
 */
export const wantsCookies = (
  asked: boolean | undefined,
  { config }: { readonly config: Pick<Config, 'sessionCookies'> },
  byCookie = false,
): boolean => asked ?? (byCookie || config.sessionCookies)

/** Tokens as the answer has them: all in the body, or the refresh token in a cookie only. */
export const answerTokens = async (
  request: FastifyRequest,
  reply: FastifyReply,
  tokens: RenewableTokens,
  inCookies: boolean,
): Promise<WireTokens> => {
  const wire = toWireTokens(tokens)
  if (!inCookies) return wire
  const sessions = browserSessionsOf(request.server)
  const familyId = await sessions.familyOf(tokens.refreshToken)
  if (familyId === undefined) throw new TypeError('a refresh token of our own is always ours')
  const csrfToken = sessions.issue(familyId)
  sessions.giveTokens(reply, { ...tokens, csrfToken })
  const { refresh_token: _, ...shown } = wire
  return { ...shown, csrf_token: csrfToken }
}

/** As `answerTokens`, after a sign-in: from now on the device is known. */
export const answerSignIn = async (
  { knownDevices }: Pick<AuthDeps, 'knownDevices'>,
  request: FastifyRequest,
  reply: FastifyReply,
  { user, tokens }: SignedIn,
  inCookies: boolean,
): Promise<WireTokens> => {
  const sessions = browserSessionsOf(request.server)
  // Another site could make a browser forget whom it knows.
  if (sessions.isTrusted(request)) {
    const kept = sessions.read(request, 'device')
    sessions.giveDevice(reply, await knownDevices.remember(user, kept))
  }
  return answerTokens(request, reply, tokens, inCookies)
}
