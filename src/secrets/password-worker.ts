import { hashSync, verifySync } from '@node-rs/argon2'
import type { PasswordCost } from './password-cost.ts'

// Runs in the worker threads of the password hasher; nothing else imports it.

export type HashTask = { readonly password: string; readonly cost: PasswordCost }
export type VerifyTask = {
  readonly password: string
  readonly hash: string
  /** Computed instead when the hash turns out to be unusable. */
  readonly dummy: string
}

/** @returns the PHC string of a new argon2id hash (the library's default algorithm). */
export const hash = ({ password, cost }: HashTask): string =>
  hashSync(password, {
    memoryCost: cost.memoryKib,
    timeCost: cost.timeCost,
    parallelism: cost.parallelism,
  })

/** An unusable hash is false, after the same work; it never throws. */
export const verify = (task: VerifyTask): boolean => {
  try {
    return verifySync(task.hash, task.password)
  } catch {
    verifySync(task.dummy, task.password)
    return false
  }
}
