import cookie from '@fastify/cookie'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.ts'
import type { CsrfTokens } from '../secrets/csrf-token.ts'
import { type CookieConfig, type Cookies, createCookies } from './cookies.ts'
import { createForgeryGuard, type ForgeryGuard } from './csrf.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Sessions that live in cookies; absent where none are taken. */
    browserSessions?: BrowserSessions
  }
}

/** What reads, gives and takes the cookies of a session, and what protects them. */
export type BrowserSessions = Cookies & ForgeryGuard & CsrfTokens

type Options = {
  readonly config: CookieConfig & Pick<Config, 'corsOrigins'>
  readonly csrfTokens: CsrfTokens
}

/** Lets the service take access tokens and refresh tokens from cookies. */
export const registerBrowserSessions = (
  app: FastifyInstance,
  { config, csrfTokens }: Options,
): void => {
  app.register(cookie)
  const origins = new Set([new URL(config.issuer).origin, ...config.corsOrigins])
  app.decorate('browserSessions', {
    ...csrfTokens,
    ...createCookies(config),
    ...createForgeryGuard(origins, csrfTokens),
  })
}

/** @throws {TypeError} where none are taken: a mistake of the program */
export const browserSessionsOf = (app: FastifyInstance): BrowserSessions => {
  if (app.browserSessions === undefined) throw new TypeError('no cookies are taken here')
  return app.browserSessions
}
