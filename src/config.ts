import { readClientAuthorities } from './config/client-authorities.ts'
import { readKeyEncryptionKeys } from './config/key-encryption-keys.ts'
import { type EnvironmentVariables, readEnvironment } from './config/read-environment.ts'
import { findBreaches } from './config/rules.ts'
import { type Config, toConfig } from './config/settings.ts'

export { environmentSchema } from './config/environment-schema.ts'
export type { RedisServers } from './config/redis-url.ts'
export type { Config } from './config/settings.ts'

/** All that is wrong with the environment, one sentence each. Never contains a value. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(['The configuration is not usable:', ...problems].join('\n  - '))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/**
 * Reads the environment into a frozen configuration.
 * @param readFile reads the file that KEY_ENCRYPTION_KEY_FILE names
 * @throws {ConfigError} naming everything that is wrong at once
 */
export const loadConfig = (
  variables: EnvironmentVariables,
  readFile: (path: string) => string,
): Config => {
  const { environment, complaints } = readEnvironment(variables)
  const encryption = readKeyEncryptionKeys(environment, readFile)
  const clients = readClientAuthorities(environment, readFile)
  const config = toConfig(environment, encryption.keys, clients.authorities)
  const unread = new Set(complaints.map(({ name }) => name))
  const problems = [
    ...complaints.map(({ sentence }) => sentence),
    ...encryption.problems,
    ...clients.problems,
    ...findBreaches(environment, config, unread),
  ]
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}
