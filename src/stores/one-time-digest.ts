import { sha256 } from '../secrets/digest.ts'
import type { OneTimeKind } from '../secrets/one-time-ids.ts'

/** What stands for an id of any length, so that no two kinds share one. */
export const digestOneTimeId = (kind: OneTimeKind, id: string): Buffer => sha256(`${kind}\0${id}`)
