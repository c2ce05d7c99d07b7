import { type Command, Option } from 'commander'
import { clientProfiles } from '../../clients/client-settings.ts'
import { type PrintOptions, parseList, parseMany, parseWholeNumber } from '../command-context.ts'
import { readSettingsFile } from '../settings-file.ts'

/** Options of whatever states something of a client. */
export type ChangeOptions = PrintOptions & {
  readonly name?: string
  readonly grant?: string[]
  readonly scope?: string[]
  readonly audience?: string[]
  readonly resourceServer?: string[]
  readonly redirectUri?: string[]
  readonly corsOrigin?: string[]
  readonly refreshGraceSeconds?: number
  readonly refreshRetryElsewhere?: 'allow' | 'refuse'
  readonly refreshTokenRotation?: 'rotate' | 'static'
  readonly profile?: string
  readonly jwksUri?: string
  readonly postLogoutRedirectUri?: string[]
  readonly consent?: string
  readonly dpop?: boolean
  readonly settings?: Readonly<Record<string, unknown>>
}

/** What can be stated of a client, and changed later. */
export const addChangeable = (command: Command): Command =>
  command
    .option('--grant <type>', 'grant type that it may use (repeatable)', parseList)
    .option('--scope <scope>', 'scope that it may be granted (repeatable)', parseList)
    .option('--audience <uri>', 'audience that it may ask tokens for (repeatable)', parseMany)
    .option('--resource-server <uri>', 'audience that it serves (repeatable)', parseMany)
    .option('--redirect-uri <uri>', 'where sign-ins may return to (repeatable)', parseMany)
    .option('--cors-origin <origin>', 'web page that may read its answers (repeatable)', parseMany)
    .option(
      '--refresh-grace-seconds <seconds>',
      'window for retried refreshes',
      parseWholeNumber(0, 600),
    )
    .addOption(
      new Option(
        '--refresh-retry-elsewhere <policy>',
        'whether a retry from another network is answered',
      ).choices(['allow', 'refuse']),
    )
    .addOption(
      new Option(
        '--refresh-token-rotation <policy>',
        'whether a refresh token is good once or stays',
      ).choices(['rotate', 'static']),
    )
    .addOption(
      new Option('--profile <name>', 'settings that belong together').choices(clientProfiles),
    )
    .option('--jwks-uri <url>', 'where its public keys are')
    .option(
      '--post-logout-redirect-uri <uri>',
      'where sign-outs may return (repeatable)',
      parseMany,
    )
    .addOption(
      new Option('--consent <when>', 'when people are asked for consent').choices([
        ...['remember', 'always', 'skip'],
      ]),
    )
    .option('--dpop', 'bind its tokens to a key of its own')
    .option('--no-dpop', 'do not')
    .option(
      '--settings <file>',
      'JSON file with any of the settings, by their names in RFC 7591',
      readSettingsFile,
    )

/** What the options state; undefined where they do not. */
export const changeOf = (options: ChangeOptions) => ({
  grantTypes: options.grant,
  scope: options.scope,
  audience: options.audience,
  resourceServer: options.resourceServer,
  redirectUris: options.redirectUri,
  corsOrigins: options.corsOrigin,
  refreshGraceSeconds: options.refreshGraceSeconds,
  refreshRetryElsewhere: options.refreshRetryElsewhere,
  refreshTokenRotation: options.refreshTokenRotation,
  settings: settingsOf(options),
})

/** Those of the file, and those that have an option of their own. */
const settingsOf = ({ settings, ...options }: ChangeOptions) => {
  const stated = Object.entries({
    profile: options.profile,
    jwks_uri: options.jwksUri,
    post_logout_redirect_uris: options.postLogoutRedirectUri,
    consent: options.consent,
    dpop_bound_access_tokens: options.dpop,
  }).filter(([, value]) => value !== undefined)
  if (settings === undefined && stated.length === 0) return undefined
  return { ...settings, ...Object.fromEntries(stated) }
}
