import type { Client } from '../clients/client.ts'
import { Unavailable } from '../oauth/unavailable.ts'
import { sha256 } from '../secrets/digest.ts'
import { randomToken } from '../secrets/random.ts'
import { digestUserCode, randomUserCode, readUserCode } from '../secrets/user-code.ts'
import type { DeviceCodeStore, DeviceRequest, WaitingDevice } from '../tokens/device-code.ts'

/** Long enough to fetch a telephone, short enough that codes cannot be guessed. */
const ttlSeconds = 600
/** RFC 8628 §3.2 has this when nothing is said. */
const intervalSeconds = 5

/** What a device is answered (RFC 8628 §3.2); only digests are kept. */
export type BegunDevice = {
  readonly deviceCode: string
  /** As it is shown. */
  readonly userCode: string
  readonly expiresIn: number
  readonly interval: number
}

/** A device that waits, with the code as it is shown. */
type Waiting = WaitingDevice & { readonly userCode: string }

/** The same, with the client that the device is of. */
export type FoundDevice = Waiting & { readonly client: Client }

export type DeviceRequests = {
  begin(request: DeviceRequest): Promise<BegunDevice>
  /** @param typed by a person. @returns what waits under the code. */
  find(typed: string): Promise<Waiting | undefined>
}

export const createDeviceRequests = (
  store: Pick<DeviceCodeStore, 'create' | 'findWaiting'>,
): DeviceRequests => ({
  async begin(request) {
    // Another device's user code comes out once in millions of times.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const deviceCode = randomToken()
      const userCode = randomUserCode()
      const created = await store.create({
        ...request,
        digest: sha256(deviceCode),
        userCodeDigest: digestUserCode(userCode),
        ttlSeconds,
        intervalSeconds,
      })
      if (created) return { deviceCode, userCode, expiresIn: ttlSeconds, interval: intervalSeconds }
    }
    throw new Unavailable('no user code is free')
  },

  async find(typed) {
    const userCode = readUserCode(typed)
    if (userCode === undefined) return undefined
    const waiting = await store.findWaiting(digestUserCode(userCode))
    return waiting && { ...waiting, userCode }
  },
})
