import type { MessageKey } from './messages.ts'

/** A refusal that a page can tell of. */
export type PageError = MessageKey extends infer Key
  ? Key extends `error.${infer Code}`
    ? Code
    : never
  : never

/** A scope as people read it. */
export type SpokenScope = { readonly name: string; readonly text: string }

/** For how long access is given. */
export type Duration = {
  readonly key: 'consent.minutes' | 'consent.session' | 'consent.offline'
  readonly values: Readonly<Record<string, number>>
}

/** One member of an authorization detail (RFC 9396), as text. */
export type DetailMember = { readonly name: string; readonly text: string }

type SessionLine = {
  readonly id: string
  readonly device: string | null
  readonly address: string | null
  readonly since: string
  readonly current: boolean
}

type ConsentLine = {
  readonly clientId: string
  /** null: the client is gone. */
  readonly client: string | null
  readonly since: string
}

/** Someone who is signed in to this browser. */
export type PersonLine = {
  readonly session: string
  readonly email: string
  readonly sessions: readonly SessionLine[]
  readonly consents: readonly ConsentLine[]
}

/**
 * What each page shows. Addresses are those of the own service, below its base path; `client` is
 * the name of a client; `error` is what was wrong with the form that was sent.
 */
export type PageData = {
  'sign-in': {
    readonly action: string
    readonly username: string
    readonly client?: string | undefined
    readonly registerHref?: string | undefined
    readonly error?: PageError | undefined
  }
  register: {
    readonly action: string
    readonly email: string
    readonly name: string
    readonly signInHref: string
    readonly client?: string | undefined
    readonly error?: PageError | undefined
  }
  password: {
    readonly action: string
    readonly session: string
    readonly email: string
    readonly error?: PageError | undefined
  }
  accounts: {
    readonly action: string
    readonly otherHref: string
    readonly client?: string | undefined
    readonly accounts: readonly {
      readonly session: string
      readonly email: string
      readonly name: string | null
    }[]
  }
  consent: {
    readonly action: string
    readonly session: string
    readonly email: string
    readonly switchHref: string
    readonly client: string
    readonly logo?: string | undefined
    readonly links: readonly {
      readonly name: 'site' | 'policy' | 'terms'
      readonly href: string
    }[]
    readonly warning?: 'unassured' | 'on-device' | undefined
    readonly scopes: readonly SpokenScope[]
    readonly details: readonly (readonly DetailMember[])[]
    readonly audiences: readonly string[]
    readonly duration: Duration
    /** Where the answer goes, as a person can judge it. */
    readonly target: string
  }
  account: {
    readonly people: readonly PersonLine[]
    readonly signOutAction: string
    readonly endSessionAction: string
    readonly endConsentAction: string
    readonly otherHref: string
  }
  'signed-out': {
    readonly signInHref: string
    readonly back?: { readonly href: string; readonly client: string } | undefined
  }
  /** Asks whether to sign out; the answer comes as `decision`, `allow` or `deny`. */
  logout: {
    readonly action: string
    readonly client?: string | undefined
    readonly email?: string | undefined
    readonly fields?: Readonly<Record<string, string>> | undefined
  }
  /** The answer comes as `user_code`. */
  device: {
    readonly action: string
    readonly userCode: string
    readonly error?: PageError | undefined
  }
  /** The answer comes as `decision`, `allow` or `deny`, with `fields`. */
  'device-confirm': {
    readonly action: string
    readonly client: string
    readonly userCode: string
    readonly email: string
    readonly scopes: readonly SpokenScope[]
    readonly details: readonly (readonly DetailMember[])[]
    readonly audiences: readonly string[]
    readonly duration: Duration
    readonly fields?: Readonly<Record<string, string>> | undefined
  }
  'device-done': Readonly<Record<string, never>>
  'device-denied': Readonly<Record<string, never>>
  /** Sends its fields on by itself; without scripts by a button. `action` is the redirect URI. */
  'form-post': { readonly action: string; readonly fields: Readonly<Record<string, string>> }
  error: {
    readonly code: string
    readonly text: string
    readonly description?: string | undefined
    readonly requestId: string
    readonly homeHref: string
  }
}

export type PageName = keyof PageData
export const pageNames = [
  ...['sign-in', 'register', 'password', 'accounts', 'consent', 'account', 'signed-out', 'logout'],
  ...['device', 'device-confirm', 'device-done', 'device-denied', 'form-post', 'error'],
] as readonly PageName[]
