import { type Command, Option } from 'commander'
import { type PrintOptions, parseList, parseMany, parseWholeNumber } from '../command-context.ts'

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
})
