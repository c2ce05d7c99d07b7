export type Severity = 'info' | 'notice' | 'warning' | 'critical'

/** Every event that is audited, with its severity. Names are `thing.what_happened`. */
export const catalogue = {
  'user.created': 'notice',
  'user.updated': 'info',
  'user.update_failed': 'warning',
  'user.disabled': 'warning',
  'user.enabled': 'notice',
  'user.role_granted': 'warning',
  'user.role_revoked': 'warning',
  'user.password_changed': 'notice',
  'user.password_set': 'warning',
  'user.password_change_failed': 'warning',
  'user.password_rehashed': 'info',
  'sign_in.succeeded': 'info',
  'sign_in.failed': 'notice',
  'session.created': 'info',
  'session.ended': 'info',
  'session.all_ended': 'notice',
  'family.created': 'info',
  'family.revoked': 'notice',
  'family.reused': 'critical',
  'family.diverged': 'warning',
  'family.retried_elsewhere': 'warning',
  'family.refused_foreign': 'warning',
  'token.revoked': 'info',
  'client.created': 'notice',
  'client.disabled': 'warning',
  'client.enabled': 'notice',
  'client.secret_rotated': 'notice',
  'client.authentication_failed': 'warning',
  'audience.updated': 'notice',
  'key.created': 'notice',
  'key.rotated': 'warning',
  'key.resealed': 'warning',
} as const satisfies Record<string, Severity>

export type AuditEventType = keyof typeof catalogue
