import type { JSONWebKeySet, JWK } from 'jose'
import type { Act } from '../audit/act.ts'
import { findJwkFault } from '../keys/public-jwk.ts'
import { isAudience } from '../oauth/audience.ts'
import { Problem } from '../oauth/problem.ts'
import { isScopeToken } from '../oauth/scope.ts'
import { isWebUrl } from '../oauth/web-url.ts'
import {
  type AssertionIssuer,
  type AssertionIssuerStore,
  subjectMappings,
} from './assertion-issuer.ts'
import { clientKeyAlgorithms } from './client-jwt.ts'

/** What an operator says of an issuer. */
export type AssertionIssuerInput = {
  readonly issuer: string
  readonly jwks?: unknown
  readonly jwksUri?: string
  readonly clients: readonly string[]
  readonly audience: readonly string[]
  readonly scope?: readonly string[]
  readonly subject: string
  /** Default `issuer`. */
  readonly assertionAudience?: string
  /** Default 300. */
  readonly maxLifetimeSeconds?: number
}

/** What an operator may do with issuers of assertions. Every act is audited, and holds at once. */
export type AssertionIssuerAdministration = {
  /** Creates or replaces one. @throws {Problem} validation, with all faults at once. */
  set(input: AssertionIssuerInput, act: Act): Promise<AssertionIssuer>
  /** Nothing that it asserts is believed from then on. @throws {Problem} not_found. */
  remove(issuer: string, act: Act): Promise<void>
  /** By issuer. */
  list(): Promise<AssertionIssuer[]>
}

type Options = { readonly store: AssertionIssuerStore; readonly ownIssuer: string }

const longestLifetimeSeconds = 600

export const createAssertionIssuerAdministration = ({
  store,
  ownIssuer,
}: Options): AssertionIssuerAdministration => ({
  async set(input, { actor, origin }) {
    const candidate = withDefaults(input)
    const fields = rules.flatMap(([field, message, isBroken]) =>
      isBroken(candidate, ownIssuer) ? [{ field, message }] : [],
    )
    if (fields.length > 0) throw new Problem('validation', { fields })
    const { issuer, clients, audience, scope, subject } = candidate
    await store.set(candidate, {
      type: 'assertion_issuer.updated',
      outcome: 'success',
      actor,
      details: { issuer, clients, audience, scope, subject },
      origin,
    })
    return candidate
  },

  async remove(issuer, { actor, origin }) {
    const removed = await store.remove(issuer, {
      type: 'assertion_issuer.removed',
      outcome: 'success',
      actor,
      details: { issuer },
      origin,
    })
    if (!removed) throw new Problem('not_found')
  },

  list: () => store.list(),
})

/** Not checked yet: what has the wrong type meets a rule. */
const withDefaults = (input: AssertionIssuerInput): AssertionIssuer => ({
  issuer: input.issuer,
  jwks: (input.jwks ?? null) as JSONWebKeySet | null,
  jwksUri: input.jwksUri ?? null,
  clients: [...new Set(input.clients)],
  audience: [...new Set(input.audience)],
  scope: [...new Set(input.scope)],
  subject: input.subject as AssertionIssuer['subject'],
  assertionAudience: (input.assertionAudience ?? 'issuer') as AssertionIssuer['assertionAudience'],
  maxLifetimeSeconds: input.maxLifetimeSeconds ?? 300,
})

type Rule = readonly [
  field: string,
  message: string,
  isBroken: (candidate: AssertionIssuer, ownIssuer: string) => boolean,
]

const isWord = (text: string): boolean => /^[\x21-\x7e]{1,255}$/.test(text)

const isSoundKey = (key: unknown): boolean =>
  typeof key === 'object' &&
  key !== null &&
  clientKeyAlgorithms.some((algorithm) => findJwkFault(key as JWK, algorithm) === undefined)

const areSoundKeys = (jwks: unknown): boolean => {
  const { keys } = jwks as { readonly keys?: unknown }
  return Array.isArray(keys) && keys.length > 0 && keys.length <= 20 && keys.every(isSoundKey)
}

const rules: readonly Rule[] = [
  [
    'issuer',
    'must be 1 to 255 printable ASCII characters without spaces',
    ({ issuer }) => !isWord(issuer),
  ],
  // What we sign ourselves proves other things.
  ['issuer', 'must not be our own', ({ issuer }, own) => issuer === own],
  [
    'jwks',
    'or jwks_uri is needed, and not both',
    ({ jwks, jwksUri }) => (jwks === null) === (jwksUri === null),
  ],
  [
    'jwks',
    'must hold 1 to 20 public keys for signatures: RSA of 2048 to 8192 bits, P-256 or Ed25519',
    ({ jwks }) => jwks !== null && !areSoundKeys(jwks),
  ],
  [
    'jwks_uri',
    'must be an https URL, or an http URL of the own machine, without credentials',
    ({ jwksUri }) => jwksUri !== null && !isWebUrl(jwksUri),
  ],
  [
    'clients',
    'must be ids of clients, at least one',
    ({ clients }) => clients.length === 0 || !clients.every(isWord),
  ],
  [
    'audience',
    'must be URIs without a fragment, or plain names, at least one',
    ({ audience }) => audience.length === 0 || !audience.every(isAudience),
  ],
  ['scope', 'must be scope tokens', ({ scope }) => !scope.every(isScopeToken)],
  [
    'subject',
    `must be one of ${subjectMappings.join(', ')}`,
    ({ subject }) => !subjectMappings.includes(subject),
  ],
  [
    'assertion_audience',
    'must be one of issuer, legacy',
    ({ assertionAudience }) => !['issuer', 'legacy'].includes(assertionAudience),
  ],
  [
    'max_lifetime_seconds',
    `must be a whole number from 1 to ${longestLifetimeSeconds}`,
    ({ maxLifetimeSeconds: seconds }) =>
      !(Number.isInteger(seconds) && seconds >= 1 && seconds <= longestLifetimeSeconds),
  ],
]
