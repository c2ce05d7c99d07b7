import { createAccounts } from '../accounts/accounts.ts'
import { createDelegatedAdministration } from '../accounts/delegated-administration.ts'
import { createFirstAdminAdministration } from '../accounts/first-admin-administration.ts'
import { createRoleAdministration } from '../accounts/role-administration.ts'
import { createUserAdministration } from '../accounts/user-administration.ts'
import { observeAccounts } from '../observability/observed.ts'
import { createPasswordHasher } from '../secrets/password-hasher.ts'
import type { MacKeys } from '../secrets/refresh-token.ts'
import type { Foundation } from './foundation.ts'
import { joinLockout } from './lockout.ts'
import type { joinTokens } from './tokens.ts'

/** Accounts of people, and the threads that hash their passwords. */
export const joinAccounts = (
  foundation: Foundation,
  { familyStarter, issuer, families }: ReturnType<typeof joinTokens>,
  macKeys: MacKeys,
) => {
  const { config, stores, warn, auditWriter, metrics, revocations } = foundation
  const { lockout, knownDevices, csrfTokens } = joinLockout(foundation, macKeys)
  const { users, sessions, consents } = stores
  const hasher = createPasswordHasher({
    memoryKib: config.passwordHashMemoryKib,
    timeCost: config.passwordHashTimeCost,
    parallelism: config.passwordHashParallelism,
    concurrency: config.passwordHashConcurrency,
    queueLimit: config.passwordHashQueueLimit,
    onWorkerError: warn('a password-hashing thread ended'),
  })
  const userAdministration = createUserAdministration({ users, hasher, revocations, lockout })
  return {
    hasher,
    knownDevices,
    csrfTokens,
    accounts: observeAccounts(
      createAccounts({
        ...{ config, users, sessions, consents, hasher, familyStarter, issuer, families },
        ...{ auditWriter, revocations, lockout },
      }),
      metrics.count,
    ),
    firstAdminAdministration: createFirstAdminAdministration({ users, hasher }),
    roleAdministration: createRoleAdministration(stores.roles),
    delegatedAdministration: createDelegatedAdministration({
      ...{ sessions, revocations, administration: userAdministration, roles: stores.roles },
    }),
    userAdministration,
  }
}
