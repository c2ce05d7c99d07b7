import type { decideAlerts } from './alert-decision.ts'
import type { AlertRule } from './alert-rules.ts'
import type { AuditEventType } from './catalogue.ts'

/** What a rule has noticed, for the audit log and for the receiver. No secrets. */
export type Alert = {
  /** UUID; the same however often it is sent. */
  readonly id: string
  readonly rule: string
  readonly raisedAt: Date
  readonly facts: AlertFacts
}

/** Events that were counted, and the latest of them. Plain JSON, with the names of the wire. */
export type AlertFacts = {
  readonly count: number
  readonly first_at: string
  readonly last_at: string
  readonly type: AuditEventType
  readonly actor: string | null
  readonly subject: string | null
  readonly client_id: string | null
  readonly session_id: string | null
  readonly family_id: string | null
  readonly request_id: string | null
  readonly address: string | null
  readonly user_agent: string | null
}

export type AlertStore = {
  /**
   * Looks at the events of late and raises what `decide` says: the alert, its audit event and what
   * is to be sent in one transaction. One node at a time; any other finds nothing to do.
   * @param toBeSent whether somebody receives alerts
   */
  raise(
    rules: readonly AlertRule[],
    decide: typeof decideAlerts,
    toBeSent: boolean,
  ): Promise<Alert[]>
  /**
   * Takes an alert that is due, and no other node does for as long as its next delay: what is not
   * marked as delivered by then is due again.
   * @param delaysSeconds between attempts; after the last there is one more attempt, and no other
   */
  claim(delaysSeconds: readonly number[]): Promise<ClaimedAlert | undefined>
  markDelivered(id: string): Promise<void>
}

export type ClaimedAlert = Alert & {
  /** 1 at the first one. */
  readonly attempt: number
}
