import type { AuditEventType } from './catalogue.ts'

/** What counts together: events about one account, from one network, of one family … */
export type AlertKey =
  | 'subject'
  | 'client'
  | 'address'
  | 'subject_or_address'
  | 'family'
  | 'act'
  | 'everywhere'

export type AlertRule = {
  readonly name: string
  readonly types: readonly AuditEventType[]
  /** `address` counts IPv6 by /64; `act` is one kind of act upon one subject, by somebody. */
  readonly key: AlertKey
  /** So many events of one key … */
  readonly threshold: number
  /** … within so many seconds raise an alert; */
  readonly withinSeconds: number
  /** then no other one of this key for so long. */
  readonly quietSeconds: number
}

const hour = 3600
const failedSignIns: readonly AuditEventType[] = [
  'sign_in.failed',
  'user.password_change_failed',
  'user.update_failed',
]
const once = { threshold: 1, withinSeconds: hour, quietSeconds: hour }

/** What an operator is told of at once, all rules in one place. */
export const alertRules: readonly AlertRule[] = [
  {
    name: 'sign_in_failures_of_account',
    ...{ types: failedSignIns, key: 'subject' },
    // What a lockout does not end: from many addresses, or where more attempts are allowed.
    ...{ threshold: 10, withinSeconds: 900, quietSeconds: hour },
  },
  {
    name: 'sign_in_failures_from_address',
    ...{ types: failedSignIns, key: 'address' },
    ...{ threshold: 20, withinSeconds: 300, quietSeconds: hour },
  },
  {
    name: 'sign_in_failures_everywhere',
    ...{ types: failedSignIns, key: 'everywhere' },
    ...{ threshold: 200, withinSeconds: 300, quietSeconds: hour },
  },
  {
    // Such failures are recorded once a minute for each client, reason and network: what counts
    // is minutes and networks. Any number within one minute is in tessera_client_authentications_total.
    name: 'client_authentication_failures_of_client',
    ...{ types: ['client.authentication_failed'], key: 'client' },
    ...{ threshold: 5, withinSeconds: 900, quietSeconds: hour },
  },
  {
    name: 'client_authentication_failures_everywhere',
    ...{ types: ['client.authentication_failed'], key: 'everywhere' },
    ...{ threshold: 50, withinSeconds: 300, quietSeconds: hour },
  },
  { name: 'lockout', types: ['sign_in.locked'], key: 'subject_or_address', ...once },
  { name: 'new_device', types: ['sign_in.new_device'], key: 'subject', ...once },
  { name: 'refresh_reuse', types: ['family.reused'], key: 'family', ...once },
  { name: 'retry_from_elsewhere', types: ['family.retried_elsewhere'], key: 'family', ...once },
  {
    // Whatever gives somebody power or a way in, or takes one away. Not what only counts afresh or
    // is done at the person's wish (unlocking, ending sessions), nor what the service does itself.
    name: 'admin_change',
    types: [
      'user.role_granted',
      'user.role_revoked',
      'user.disabled',
      'user.enabled',
      'user.password_set',
      'user.password_change_forced',
      'user.deleted',
      'user.restored',
      'role.created',
      'role.updated',
      'role.deleted',
      'client.created',
      'client.updated',
      'client.secret_rotated',
      'client.disabled',
      'client.enabled',
      'audience.updated',
      'key.rotated',
      'key.resealed',
      'key.revoked',
      'key.all_replaced',
    ],
    ...{ key: 'act', threshold: 1, withinSeconds: hour, quietSeconds: 300 },
  },
]
