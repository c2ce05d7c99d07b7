import type { Act } from '../audit/act.ts'
import type { AuthorizationDetail } from '../oauth/authorization-details.ts'
import type { Scope } from '../oauth/scope.ts'
import type { OpenCode, RedeemedCode } from './authorization-code.ts'

/** Seconds that RFC 8628 §3.5 has a device wait longer, each time that it asks too early. */
export const slowDownSeconds = 5

/** What a device asks for (RFC 8628 §3.1). */
export type DeviceRequest = {
  readonly clientId: string
  readonly scope: Scope
  /** Undefined: the client's own. */
  readonly audience: readonly string[] | undefined
  readonly authorizationDetails: readonly AuthorizationDetail[] | undefined
}

export type NewDeviceCode = DeviceRequest & {
  readonly digest: Buffer
  readonly userCodeDigest: Buffer
  readonly ttlSeconds: number
  readonly intervalSeconds: number
}

/** A request of a device that waits for its person. */
export type WaitingDevice = DeviceRequest & {
  /** Of the device code, base64url: names the request, and opens nothing. */
  readonly id: string
}

export type PresentedDeviceCode = { readonly digest: Buffer; readonly clientId: string }

/** What is known of a code that gave no tokens. */
export type DeviceState = {
  readonly denied: boolean
  readonly used: boolean
  readonly expired: boolean
  readonly approved: boolean
}

export type DeviceRefusal = 'unknown' | 'reused' | 'denied' | 'expired' | 'pending' | 'again'

/** Why a code gave no tokens; pure and total. `again`: it has been approved meanwhile. */
export const judgeDevice = (state: DeviceState | undefined): DeviceRefusal => {
  if (state === undefined) return 'unknown'
  if (state.used) return 'reused'
  if (state.denied) return 'denied'
  if (state.expired) return 'expired'
  return state.approved ? 'again' : 'pending'
}

export type DeviceCodeStore = {
  /** @returns false when the user code is another device's; nothing is written. */
  create(code: NewDeviceCode): Promise<boolean>
  /** A code that waits; undefined for all others. */
  findWaiting(userCodeDigest: Buffer): Promise<WaitingDevice | undefined>
  /** @returns false when it waits no more, or who signed in has signed out. */
  approve(
    id: string,
    login: { readonly userId: string; readonly sessionId: string },
    act: Act,
  ): Promise<boolean>
  /** The person does not want it. @returns false when it waits no more. */
  deny(id: string, act: Act): Promise<boolean>
  /** As `AuthorizationCodeStore.redeem`: one transaction, in which only an approved code counts. */
  redeem(
    presented: PresentedDeviceCode,
    open: OpenCode,
    act: Act,
  ): Promise<RedeemedCode | 'login_ended' | undefined>
  /**
   * Notes that a device asked for a code that still waits, and has it wait longer from then on when
   * that was too early; one statement.
   * @returns undefined when the code does not wait.
   */
  notePoll(presented: PresentedDeviceCode): Promise<{ readonly early: boolean } | undefined>
  /** The client's own code only. */
  inspect(presented: PresentedDeviceCode): Promise<DeviceState | undefined>
}
