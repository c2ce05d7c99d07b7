import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Accounts } from '../accounts/accounts.ts'
import type { BrowserSession } from '../accounts/browser-session.ts'
import { randomToken } from '../secrets/random.ts'
import { browserSessionsOf } from './browser-sessions.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Who is signed in where pages are shown; absent where there are none. */
    browsers?: Browsers
  }
}

/** The browsers that our pages are shown in, and who is signed in there. */
export type Browsers = {
  /** Of those who may act, the last authentication first. */
  sessionsOf(request: FastifyRequest): Promise<readonly BrowserSession[]>
  /** Those too who must change their password first: for the pages that let them do so. */
  allSessionsOf(request: FastifyRequest): Promise<readonly BrowserSession[]>
  /** What its sessions are known by; for sign-ins. */
  secretsOf(request: FastifyRequest): readonly string[]
  /** The browser's own secret, if it has one. */
  knownSecretOf(request: FastifyRequest): string | undefined
  /** The browser's own secret, to which whatever it begins is bound; it gets one if it has none. */
  secretOf(request: FastifyRequest, reply: FastifyReply): string
  /** After a sign-in. The secrets that the browser has stay beside it. */
  giveSession(request: FastifyRequest, reply: FastifyReply, secret: string): void
  /** Forgets all sessions; whoever calls ends them. */
  clearSessions(reply: FastifyReply): void
}

/** People who can be signed in to one browser at once. */
const mostSessions = 6
// 256 bits in base64url; what looks otherwise is none of ours.
const secretForm = /^[A-Za-z0-9_-]{43}$/

/** To be registered after the cookies of the first-party API. */
export const registerBrowsers = (
  app: FastifyInstance,
  { accounts }: { readonly accounts: Pick<Accounts, 'ownSessions'> },
): void => {
  const cookies = browserSessionsOf(app)
  const given = new WeakMap<FastifyRequest, string>()

  const secretsOf = (request: FastifyRequest): string[] =>
    (cookies.read(request, 'session') ?? '')
      .split('.', mostSessions)
      .filter((secret) => secretForm.test(secret))

  const knownSecretOf = (request: FastifyRequest): string | undefined => {
    const known = given.get(request) ?? cookies.read(request, 'browser')
    return known !== undefined && secretForm.test(known) ? known : undefined
  }

  const allSessionsOf = async (request: FastifyRequest): Promise<readonly BrowserSession[]> =>
    accounts.ownSessions.listOfBrowser(secretsOf(request))

  app.decorate('browsers', {
    allSessionsOf,
    secretsOf,
    async sessionsOf(request) {
      const all = await allSessionsOf(request)
      return all.filter(({ mustChangePassword }) => !mustChangePassword)
    },
    knownSecretOf,
    secretOf(request, reply) {
      const known = knownSecretOf(request)
      if (known !== undefined) return known
      const secret = randomToken()
      given.set(request, secret)
      cookies.giveBrowser(reply, secret)
      return secret
    },
    giveSession(request, reply, secret) {
      cookies.giveSessions(reply, [secret, ...secretsOf(request)].slice(0, mostSessions))
    },
    clearSessions: (reply) => cookies.giveSessions(reply, []),
  })
}

/** @throws {TypeError} where there are none: a mistake of the program */
export const browsersOf = (app: FastifyInstance): Browsers => {
  if (app.browsers === undefined) throw new TypeError('no pages are shown here')
  return app.browsers
}
