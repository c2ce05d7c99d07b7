import { Problem } from '../oauth/problem.ts'
import { Unavailable } from '../oauth/unavailable.ts'
import { CliError } from './cli-error.ts'
import type { LocalError } from './local-message.ts'

const asSentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** An error as the person at the command line is told of it; the cause stays out. */
export const toLocalError = (error: unknown): LocalError => {
  if (error instanceof Problem) {
    const { fields } = error.options
    return { message: error.message, ...(fields ? { fields } : {}) }
  }
  if (error instanceof Unavailable) {
    return { message: `${asSentence(error.message)}: nothing was done, try again` }
  }
  return { message: asSentence(error instanceof Error ? error.message : String(error)) }
}

// Members of the input by the option that gives them.
const optionOf: Readonly<Record<string, string>> = {
  client_id: '--id',
  client_name: '--name',
  token_endpoint_auth_method: '--auth-method',
  grant_types: '--grant',
  scope: '--scope',
  audience: 'the audience',
  resource_server: '--resource-server',
  redirect_uris: '--redirect-uri',
  cors_origins: '--cors-origin',
  refresh_grace_seconds: '--refresh-grace-seconds',
  refresh_token_rotation: '--refresh-token-rotation',
  jwks_uri: '--jwks-uri',
  post_logout_redirect_uris: '--post-logout-redirect-uri',
  overlap_seconds: '--overlap-seconds',
  signing_algorithm: '--algorithm',
  access_token_ttl_seconds: '--access-token-ttl-seconds',
  email: '--email',
  username: '--username',
  name: '--name',
  given_name: '--given-name',
  family_name: '--family-name',
  roles: '--role',
  role: 'the role',
  password: 'the password',
}

/** What went wrong, in one sentence that names the options as they are typed. */
export const toCliError = ({ message, fields = [] }: LocalError): CliError => {
  const faults = fields.map((fault) => `${optionOf[fault.field] ?? fault.field} ${fault.message}`)
  return new CliError(faults.length > 0 ? asSentence(faults.join('; ')) : message)
}
