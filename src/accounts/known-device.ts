import type { Clock } from '../clock.ts'
import { randomSecret } from '../secrets/random.ts'
import type { MacKeys } from '../secrets/refresh-token.ts'
import { createSignedValues } from '../secrets/signed-value.ts'
import { spellReference } from './account-digest.ts'
import type { LoginName, User } from './user.ts'

/** A device is known for so long after a sign-in. */
export const deviceLifetimeSeconds = 180 * 24 * 60 * 60

/**
 * Devices from which an account was signed in to. What a device keeps is bound to the names of one
 * account without naming it, proves nothing but that, and gives no access to anything.
 */
export type KnownDevices = {
  /** What the device is to keep after a sign-in. @param kept what it has kept from an earlier one */
  remember(user: Pick<User, 'email' | 'username'>, kept: string | undefined): Promise<string>
  /** @returns the id of the device when it was signed in under this name; else undefined. */
  recognise(kept: string | undefined, name: LoginName): Promise<string | undefined>
}

const idLength = 16

export const createKnownDevices = (macKeys: MacKeys, clock: Clock): KnownDevices => {
  const values = createSignedValues('known device', macKeys)

  const read = async (part: string, name: LoginName): Promise<Buffer | undefined> => {
    const payload = await values.open(part, spellReference(name))
    if (payload === undefined) return undefined
    const expiresAt = payload.readUInt32BE(idLength)
    return expiresAt > nowSeconds(clock) ? payload.subarray(0, idLength) : undefined
  }

  const recognise = async (kept: string | undefined, name: LoginName) => {
    for (const part of (kept ?? '').split('.', 2)) {
      const id = await read(part, name)
      if (id !== undefined) return id
    }
    return undefined
  }

  return {
    async remember({ email, username }, kept) {
      const id = (await recognise(kept, { email })) ?? randomSecret(idLength)
      const expiresAt = Buffer.alloc(4)
      expiresAt.writeUInt32BE(nowSeconds(clock) + deviceLifetimeSeconds)
      const payload = Buffer.concat([id, expiresAt])
      const names = [{ email }, ...(username === null ? [] : [{ username }])]
      return names.map((name) => values.sign(payload, spellReference(name))).join('.')
    },
    recognise: async (kept, name) => (await recognise(kept, name))?.toString('base64url'),
  }
}

const nowSeconds = (clock: Clock): number => Math.floor(clock().getTime() / 1000)
