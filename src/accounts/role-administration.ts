import type { Act } from '../audit/act.ts'
import { isPermission, permissionNames, permitsAll } from '../oauth/permission.ts'
import { Problem } from '../oauth/problem.ts'
import { refuseInvalid } from './fields.ts'
import { builtInRoles, isRoleName, type Role } from './role.ts'
import type { RoleStore } from './role-store.ts'

/**
 * Roles as operators manage them. What is permitted by a role changes at once in the admin API, and
 * in tokens with their next refresh.
 * @param held what who acts is permitted to do: nobody gives, changes or takes away more
 * @throws {Problem} `validation`, `not_found`, `conflict` for a built-in role, `role_in_use`,
 *   `permission_denied` for what the actor is not permitted to do
 */
export type RoleAdministration = {
  /** By name. */
  listRoles(): Promise<Role[]>
  /** Creates or replaces. Idempotent. */
  setRole(input: RoleInput, act: Act, held: readonly string[]): Promise<Role>
  deleteRole(name: string, act: Act, held: readonly string[]): Promise<void>
}

export type RoleInput = { readonly name: string; readonly permissions: readonly string[] }

export const createRoleAdministration = (roles: RoleStore): RoleAdministration => ({
  listRoles: () => roles.list(),

  async setRole({ name, permissions }, act, held) {
    refuseInvalid([...checkName(name), ...permissions.flatMap(checkPermission)])
    refuseBuiltIn(name)
    const present = await roles.find(name)
    refuseMoreThan(held, [...permissions, ...(present?.permissions ?? [])])
    return roles.set(name, [...new Set(permissions)].sort(), act)
  },

  async deleteRole(name, act, held) {
    refuseBuiltIn(name)
    const present = isRoleName(name) ? await roles.find(name) : undefined
    if (present === undefined) throw unknownRole(name)
    refuseMoreThan(held, present.permissions)
    const outcome = await roles.delete(name, act)
    if (outcome === 'unknown') throw unknownRole(name)
    if (outcome === 'in_use') throw new Problem('role_in_use')
  },
})

/** @throws {Problem} `permission_denied` */
export const refuseMoreThan = (held: readonly string[], given: readonly string[]): void => {
  if (permitsAll(held, given)) return
  const missing = given.filter((permission) => !held.includes(permission)).sort()
  throw new Problem('permission_denied', {
    detail: `This needs the permissions ${[...new Set(missing)].join(', ')}`,
  })
}

const checkName = (name: string) =>
  isRoleName(name)
    ? []
    : [
        {
          field: 'name',
          message:
            'must be 1 to 64 lower-case letters, digits, dots, colons, hyphens or underscores, with a letter or digit at both ends',
        },
      ]

const checkPermission = (permission: string, index: number) =>
  isPermission(permission) && permission !== 'admin'
    ? []
    : [
        {
          field: `permissions.${index}`,
          message: `must be one of ${permissionNames.filter((name) => name !== 'admin').join(', ')}`,
        },
      ]

const refuseBuiltIn = (name: string): void => {
  if (!builtInRoles.includes(name)) return
  throw new Problem('conflict', { detail: `The built-in role ${name} cannot be changed` })
}

const unknownRole = (name: string): Problem =>
  new Problem('not_found', { detail: `There is no role ${JSON.stringify(name)}` })
