import { createRequire } from 'node:module'
import type { dictionary } from '@zxcvbn-ts/language-common'

let known: ReadonlySet<string> | undefined

// Unpacking the list takes about 30 ms and 5 MB, which only a process that takes passwords pays.
const commonPasswords = (): ReadonlySet<string> => {
  known ??= new Set(loadList()['passwords-common'])
  return known
}

const loadList = (): typeof dictionary =>
  createRequire(import.meta.url)('@zxcvbn-ts/language-common').dictionary

/**
 * True for the passwords that attackers try first: about 49 000 common ones, one character over
 * and over, and those that are one of the `personal` words (email, its local part, user name,
 * names). Case does not matter.
 */
export const isCommonPassword = (password: string, personal: readonly string[]): boolean => {
  const lowerCase = password.toLowerCase()
  return (
    lowerCase === 'tessera' ||
    new Set(lowerCase).size === 1 ||
    personal.some((word) => word.toLowerCase() === lowerCase) ||
    commonPasswords().has(lowerCase)
  )
}
