/** What its holders are permitted to do in the admin API; its name stands in their tokens. */
export type Role = {
  readonly name: string
  /** Of the closed list in oauth/permission.ts, sorted. */
  readonly permissions: readonly string[]
  /** Part of the service: neither changed nor deleted. */
  readonly builtIn: boolean
}

/** Everybody's, and the one that permits everything. */
export const builtInRoles: readonly string[] = ['admin', 'user']

const roleName = /^[a-z0-9](?:[a-z0-9._:-]{0,62}[a-z0-9])?$/

/** Whether a text can name a role: it stands in tokens and in addresses as it is. */
export const isRoleName = (text: string): boolean => roleName.test(text)
