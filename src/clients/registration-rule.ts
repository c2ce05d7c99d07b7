import type { Client } from './client.ts'

/** A registration with its defaults, before anybody has checked it. */
export type Candidate = Omit<Client, 'authenticationMethod' | 'grantTypes' | Kept> & {
  readonly authenticationMethod: string
  readonly grantTypes: readonly string[]
}
type Kept = 'disabledAt' | 'createdAt' | 'secretDigests' | 'registeredBy' | 'builtIn'

/** What is wrong with a registration: the member by its wire name, and a sentence's end. */
export type RegistrationFault = { readonly field: string; readonly message: string }

/** One thing that a registration must hold to. */
export type Rule = readonly [
  field: string,
  message: string,
  isBroken: (client: Candidate) => boolean,
]

/** Without a credential of its own (RFC 6749 §2.1). */
export const isPublic = (client: Candidate): boolean => client.authenticationMethod === 'none'

export const isNotAny =
  (known: readonly string[]) =>
  (value: string): boolean =>
    !known.includes(value)

/** Whether its tokens are bound to a key (RFC 9449) or a certificate (RFC 8705) of its own. */
export const isSenderConstrained = ({ settings }: Pick<Candidate, 'settings'>): boolean =>
  settings.dpopBoundAccessTokens || settings.tlsClientCertificateBoundAccessTokens
