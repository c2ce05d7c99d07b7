import type { ResponseMode } from '../oauth/response-mode.ts'

/** What goes back to the client by way of the browser (RFC 6749 §4.1.2, RFC 9207). */
export type AuthorizationResponse = {
  readonly redirectUri: string
  readonly responseMode: ResponseMode
  /** By their names on the wire; `iss` among them, always. For JARM the one member `response`. */
  readonly parameters: Readonly<Record<string, string>>
}
