import type { CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { deviceLifetimeSeconds } from '../accounts/known-device.ts'
import type { Config } from '../config.ts'

export type CookieConfig = Pick<
  Config,
  'issuer' | 'cookieDomain' | 'refreshIdleSeconds' | 'refreshTokenTtlSeconds'
>

/**
 * What a browser keeps for us: the two tokens, the readable CSRF token, the known device; and for the
 * pages the secrets of its sessions, and one that is the browser's own.
 */
export type CookieKind = 'refresh' | 'access' | 'csrf' | 'device' | 'session' | 'browser'

/** Tokens as they go into cookies. */
export type CookieTokens = {
  readonly accessToken: string
  /** Seconds. */
  readonly expiresIn: number
  readonly refreshToken: string
  readonly csrfToken: string
}

export type Cookies = {
  read(request: FastifyRequest, kind: CookieKind): string | undefined
  giveTokens(reply: FastifyReply, tokens: CookieTokens): void
  giveCsrfToken(reply: FastifyReply, token: string): void
  giveDevice(reply: FastifyReply, device: string): void
  /** @param secrets of the browser's sessions; none takes the cookie away */
  giveSessions(reply: FastifyReply, secrets: readonly string[]): void
  giveBrowser(reply: FastifyReply, secret: string): void
  /** Takes those that came with the request, but the device's. */
  clear(reply: FastifyReply): void
}

type Form = { readonly name: string; readonly options: CookieSerializeOptions }

/**
 * Names and attributes of our cookies. With an https issuer all are Secure and named `__Host-`, so
 * that no sibling host can set them; COOKIE_DOMAIN gives the access token, and the CSRF token that
 * belongs to it, to the sibling hosts (`__Secure-`). The refresh token never leaves this host and
 * comes with no request that another site makes; the access token also comes with a visit by link.
 * @see RFC 6265bis §4.1.3
 */
export const createCookies = (config: CookieConfig): Cookies => {
  const forms = formsOf(config)

  const give = (reply: FastifyReply, kind: CookieKind, value: string, maxAge: number): void => {
    const { name, options } = forms[kind]
    reply.setCookie(name, value, { ...options, maxAge })
  }

  const giveCsrfToken = (reply: FastifyReply, token: string): void =>
    give(reply, 'csrf', token, config.refreshIdleSeconds)

  return {
    read: (request, kind) => request.cookies[forms[kind].name] || undefined,
    giveTokens(reply, { accessToken, expiresIn, refreshToken, csrfToken }) {
      give(reply, 'refresh', refreshToken, config.refreshIdleSeconds)
      give(reply, 'access', accessToken, expiresIn)
      giveCsrfToken(reply, csrfToken)
    },
    giveCsrfToken,
    giveDevice: (reply, device) => give(reply, 'device', device, deviceLifetimeSeconds),
    giveSessions(reply, secrets) {
      const { name, options } = forms.session
      if (secrets.length === 0) reply.clearCookie(name, options)
      else give(reply, 'session', secrets.join('.'), config.refreshTokenTtlSeconds)
    },
    giveBrowser: (reply, secret) => give(reply, 'browser', secret, deviceLifetimeSeconds),
    clear(reply) {
      for (const kind of ['refresh', 'access', 'csrf'] as const) {
        const { name, options } = forms[kind]
        if (name in reply.request.cookies) reply.clearCookie(name, options)
      }
    },
  }
}

const formsOf = ({ issuer, cookieDomain }: CookieConfig): Record<CookieKind, Form> => {
  // Browsers other than Chromium refuse Secure cookies on plain http, on localhost too.
  const secure = issuer.startsWith('https:')
  const own = secure ? '__Host-' : ''
  const shared = secure && cookieDomain !== undefined ? '__Secure-' : own
  const base = { path: '/', secure, httpOnly: true }
  const domain = cookieDomain === undefined ? {} : { domain: cookieDomain }
  return {
    refresh: { name: `${own}tessera_refresh`, options: { ...base, sameSite: 'strict' } },
    access: { name: `${shared}tessera_access`, options: { ...base, ...domain, sameSite: 'lax' } },
    // For scripts to read. What it proves is bound to the session, wherever it was set.
    csrf: {
      name: 'tessera_csrf',
      options: { ...base, ...domain, httpOnly: false, sameSite: 'strict' },
    },
    device: { name: `${own}tessera_device`, options: { ...base, sameSite: 'strict' } },
    // With a visit from the page of a client, which another site is.
    session: { name: `${own}tessera_session`, options: { ...base, sameSite: 'lax' } },
    browser: { name: `${own}tessera_browser`, options: { ...base, sameSite: 'lax' } },
  }
}
