import { initialPasswordSeconds } from '../accounts/user-administration.ts'
import type { Deps } from '../deps.ts'

/**
 * At start, before requests are taken: makes the administrator that ADMIN_EMAIL names, if there is
 * none yet, and shows the password once, on standard error and never in the log.
 * @throws {Problem} `validation`; {Unavailable} when the database does not answer
 */
export const createFirstAdmin = async ({
  config,
  firstAdminAdministration,
  logger,
}: Pick<Deps, 'config' | 'firstAdminAdministration' | 'logger'>): Promise<void> => {
  if (config.adminEmail === undefined) return
  const act = { actor: 'start', origin: {} }
  const made = await firstAdminAdministration.ensureFirstAdmin(config.adminEmail, act)
  if (made.outcome === 'email_taken') {
    logger.warn(
      'ADMIN_EMAIL names an account that is no administrator, and is left so: tessera users grant-role makes it one',
    )
  }
  if (made.outcome === 'created') process.stderr.write(announcement(made.email, made.password))
}

/** What the operator reads, once. */
const announcement = (email: string, password: string): string =>
  [
    '',
    `The first administrator is ${email}.`,
    `Password for the first sign-in: ${password}`,
    `It is shown this once, good for ${initialPasswordSeconds / 3600} hours, and permits nothing until it is changed.`,
    '',
    '',
  ].join('\n')
