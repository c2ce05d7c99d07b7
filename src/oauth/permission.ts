/**
 * Everything that roles can permit, and what it means: a closed list, of which every route of the
 * admin API names one. `admin` is all of them, those of later versions too.
 */
export const permissions = {
  admin: 'everything',
  'users.read': 'see and search accounts',
  'users.write': 'create, disable, enable, unlock, delete and restore accounts',
  'roles.read': 'see roles and what they permit',
  'roles.write': 'change roles, give them to accounts and take them away',
  'sessions.read': 'see where people are signed in, and the story of a refresh-token family',
  'sessions.write': 'end sessions',
  'clients.read': 'see clients and audiences',
  'clients.write': 'create, change, disable and enable clients and audiences, rotate secrets',
  'keys.read': 'see signing keys and what a rotation would do',
  'keys.write': 'rotate and revoke keys',
  'audit.read': 'see and export audit events',
} as const satisfies Record<string, string>

export type Permission = keyof typeof permissions

export const permissionNames = Object.keys(permissions) as Permission[]

export const isPermission = (text: string): text is Permission => Object.hasOwn(permissions, text)

/** Whether who holds these permissions may do what needs that one. */
export const permits = (held: readonly string[], needed: Permission): boolean =>
  held.includes('admin') || held.includes(needed)

/** Whether all that the one set permits is permitted by the other: nobody gives more than they have. */
export const permitsAll = (held: readonly string[], given: readonly string[]): boolean =>
  held.includes('admin') || given.every((permission) => held.includes(permission))
