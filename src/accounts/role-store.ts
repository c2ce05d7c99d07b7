import type { Act } from '../audit/act.ts'
import type { Role } from './role.ts'

/** Roles. Every change is one transaction with its audit event. */
export type RoleStore = {
  /** By name. */
  list(): Promise<Role[]>
  find(name: string): Promise<Role | undefined>
  /** Creates or replaces. @param permissions sorted */
  set(name: string, permissions: readonly string[], act: Act): Promise<Role>
  /** @returns `in_use` while an account has the role, deleted ones too */
  delete(name: string, act: Act): Promise<'deleted' | 'in_use' | 'unknown'>
}
