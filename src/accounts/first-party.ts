import type { Config } from '../config.ts'
import type { Scope } from '../oauth/scope.ts'

/** Scope of the tokens of our own API: `account`, and `admin` for those who may. */
export const firstPartyScope = (permissions: readonly string[]): Scope =>
  permissions.includes('admin') ? ['account', 'admin'] : ['account']

/** Audience of the tokens of our own API: ourselves, and whom tokens are meant for by default. */
export const firstPartyAudience = (
  config: Pick<Config, 'issuer' | 'defaultAudience'>,
): readonly string[] => [...new Set([config.issuer, config.defaultAudience])]
