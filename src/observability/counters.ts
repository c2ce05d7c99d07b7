/** What is counted: the name of the series, what it means, and its labels. */
export const counters = {
  grants: {
    name: 'tessera_grants_total',
    help: 'Requests for tokens that reached their grant',
    labels: ['grant_type', 'outcome'],
  },
  refreshes: {
    name: 'tessera_refreshes_total',
    help: 'Refresh tokens presented, by what became of them',
    labels: ['outcome'],
  },
  clientAuthentications: {
    name: 'tessera_client_authentications_total',
    help: 'Requests in which a client had to prove which one it is',
    labels: ['outcome'],
  },
  signIns: {
    name: 'tessera_sign_ins_total',
    help: 'Sign-ins by password',
    labels: ['outcome'],
  },
  registrations: {
    name: 'tessera_registrations_total',
    help: 'Registrations of accounts',
    labels: ['outcome'],
  },
  lockouts: {
    name: 'tessera_lockouts_total',
    help: 'Lockouts that began',
    labels: ['scope'],
  },
  rateLimited: {
    name: 'tessera_rate_limited_total',
    help: 'Requests refused by a rate limit',
    labels: ['profile'],
  },
  alerts: {
    name: 'tessera_alerts_total',
    help: 'Alerts raised from audit events',
    labels: ['rule'],
  },
  alertDeliveries: {
    name: 'tessera_alert_deliveries_total',
    help: 'Attempts to send an alert to its receiver',
    labels: ['outcome'],
  },
  logoutDeliveries: {
    name: 'tessera_logout_deliveries_total',
    help: 'Attempts to tell a client of the end of a session',
    labels: ['outcome'],
  },
  keyRotationsStuck: {
    name: 'tessera_key_rotations_stuck_total',
    help: 'Times at which a key was due to be replaced and could not be',
    labels: ['ring'],
  },
  pruned: {
    name: 'tessera_pruned_total',
    help: 'What housekeeping has pruned or prepared',
    labels: ['chore'],
  },
  housekeepingFailures: {
    name: 'tessera_housekeeping_failures_total',
    help: 'Chores of housekeeping that failed',
    labels: ['chore'],
  },
} as const

export type CounterName = keyof typeof counters
/** A value for each label of a counter: a word of the program, never of a request. */
export type LabelsOf<N extends CounterName> = Readonly<
  Record<(typeof counters)[N]['labels'][number], string>
>
