import type { Clock } from '../clock.ts'
import type { MacKeys } from '../secrets/refresh-token.ts'
import { createSignedValues } from '../secrets/signed-value.ts'

/** A nonce is good for so long, however many newer ones there are. */
export const nonceLifetimeSeconds = 300

/**
 * Nonces of the server (RFC 9449 §8), by which a proof shows that it was not made long ago. Each is
 * the time at which it was made, under a MAC: nothing is stored, and every node knows those of all.
 */
export type DpopNonces = {
  issue(): string
  /** @returns when it was made; undefined when it is too old, or not one of ours. */
  timeOf(nonce: string): Promise<Date | undefined>
}

type Options = {
  readonly macKeys: MacKeys
  /** In step with the database. */
  readonly clock: Clock
}

// Milliseconds since the epoch.
const timeBytes = 6

export const createDpopNonces = ({ macKeys, clock }: Options): DpopNonces => {
  const values = createSignedValues('dpop nonce', macKeys)
  return {
    issue() {
      const payload = Buffer.alloc(timeBytes)
      payload.writeUIntBE(clock().getTime(), 0, timeBytes)
      return values.sign(payload)
    },
    async timeOf(nonce) {
      const payload = await values.open(nonce)
      if (payload === undefined) return undefined
      const time = new Date(payload.readUIntBE(0, timeBytes))
      // One from the future is of a node whose clock is a little ahead.
      return time.getTime() + nonceLifetimeSeconds * 1000 > clock().getTime() ? time : undefined
    },
  }
}
