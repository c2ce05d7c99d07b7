import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BrowserSignedIn } from '../../accounts/session-start.ts'
import { browserSessionsOf } from '../../plugins/browser-sessions.ts'
import { browsersOf } from '../../plugins/browsers.ts'
import type { SendOptions } from '../../plugins/pages.ts'
import type { FormRefusal } from './form-refusal.ts'
import type { PageDeps } from './page-deps.ts'
import type { Visit } from './visits.ts'

/** How a form is shown again. */
export const refusedForm = (
  reply: FastifyReply,
  visit: Visit,
  refusal: FormRefusal | undefined,
): SendOptions => {
  if (refusal?.retryAfterSeconds !== undefined) {
    reply.header('retry-after', String(refusal.retryAfterSeconds))
  }
  return { ...visit.sending, status: refusal?.status ?? 200 }
}

/** After a sign-in by a page: the browser has the session, the device is known, and on it goes. */
export const answerBrowserSignIn = async (
  { knownDevices }: Pick<PageDeps, 'knownDevices'>,
  [request, reply]: readonly [FastifyRequest, FastifyReply],
  visit: Visit,
  { user, sessionId, secret }: BrowserSignedIn,
): Promise<FastifyReply> => {
  const cookies = browserSessionsOf(request.server)
  browsersOf(request.server).giveSession(request, reply, secret)
  const kept = cookies.read(request, 'device')
  cookies.giveDevice(reply, await knownDevices.remember(user, kept))
  await visit.choose(sessionId)
  return user.mustChangePassword ? reply.redirect(visit.address('/password'), 303) : visit.goOn()
}
