import type { JSONWebKeySet } from 'jose'
import type { RecordedEvent } from '../audit/event.ts'
import type { Scope } from '../oauth/scope.ts'

/**
 * How subjects of assertions become ours. `user`: they are our user ids. `external`: they are people
 * or programs that we do not know, and never become users. Nothing goes by email address: nobody has
 * proved to us that an address of an account is theirs.
 */
export const subjectMappings = ['user', 'external'] as const
export type SubjectMapping = (typeof subjectMappings)[number]

/** Who is believed to speak for subjects by assertions (RFC 7523 §2.1), and how far. */
export type AssertionIssuer = {
  /** As `iss` has it. */
  readonly issuer: string
  /** Its keys, or where they are; exactly one is set. */
  readonly jwks: JSONWebKeySet | null
  readonly jwksUri: string | null
  /** Clients that may present its assertions; never empty. */
  readonly clients: readonly string[]
  /** Whom tokens for its assertions may be for; never empty. */
  readonly audience: readonly string[]
  readonly scope: Scope
  readonly subject: SubjectMapping
  /** `legacy`: the token endpoint's URL too may be the audience of its assertions. */
  readonly assertionAudience: 'issuer' | 'legacy'
  /** 1 to 600: how long from now an assertion may be good at most. */
  readonly maxLifetimeSeconds: number
}

export type AssertionIssuerStore = {
  find(issuer: string): Promise<AssertionIssuer | undefined>
  /** By issuer. */
  list(): Promise<AssertionIssuer[]>
  /** Creates or replaces one, with the audit event, in one transaction. */
  set(assertionIssuer: AssertionIssuer, event: RecordedEvent): Promise<void>
  /** @returns false when there is none; then nothing is audited. */
  remove(issuer: string, event: RecordedEvent): Promise<boolean>
}
