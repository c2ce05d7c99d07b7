import { createAccounts } from '../accounts/accounts.ts'
import { createRoleAdministration } from '../accounts/role-administration.ts'
import { createUserAdministration } from '../accounts/user-administration.ts'
import { createPasswordHasher } from '../secrets/password-hasher.ts'
import type { Foundation } from './foundation.ts'
import type { joinTokens } from './tokens.ts'

/** Accounts of people, and the threads that hash their passwords. */
export const joinAccounts = (
  { config, stores, warn, auditWriter, revocations }: Foundation,
  { familyStarter, issuer, families }: ReturnType<typeof joinTokens>,
) => {
  const { users, sessions } = stores
  const hasher = createPasswordHasher({
    memoryKib: config.passwordHashMemoryKib,
    timeCost: config.passwordHashTimeCost,
    parallelism: config.passwordHashParallelism,
    concurrency: config.passwordHashConcurrency,
    queueLimit: config.passwordHashQueueLimit,
    onWorkerError: warn('a password-hashing thread ended'),
  })
  return {
    hasher,
    accounts: createAccounts({
      ...{ config, users, sessions, hasher, familyStarter, issuer, families },
      ...{ auditWriter, revocations },
    }),
    roleAdministration: createRoleAdministration(stores.roles),
    userAdministration: createUserAdministration({ users, hasher, revocations }),
  }
}
