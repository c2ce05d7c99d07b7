import { digestClientSecret } from '../../secrets/client-secret.ts'
import { equalInConstantTime } from '../../secrets/digest.ts'
import type { Client } from '../client.ts'

const absentSecret = [{ digest: digestClientSecret(''), expiresAt: null }]

/** Compares with every live secret, so that the time does not tell which one it was. */
export const provesSecret = (client: Client | undefined, secret: string, now: Date): boolean => {
  const presented = digestClientSecret(secret)
  const live = client?.secretDigests.filter(({ expiresAt }) => !expiresAt || expiresAt > now) ?? []
  let equal = false
  for (const { digest } of live.length > 0 ? live : absentSecret) {
    if (equalInConstantTime(presented, digest)) equal = true
  }
  return equal && live.length > 0
}
