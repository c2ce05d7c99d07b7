import { randomInt } from 'node:crypto'
import { sha256 } from './digest.ts'

/** No vowels, so that no words come out, and nothing that looks like a digit (RFC 8628 §6.1). */
const letters = 'BCDFGHJKLMNPQRSTVWXZ'
const length = 8

/**
 * A code that a person types in from a device, such as `WDJB-MJHT`: 34 bits, which are safe for
 * minutes and while guesses are counted.
 */
export const randomUserCode = (): string =>
  formatUserCode(Array.from({ length }, () => letters[randomInt(letters.length)]).join(''))

/**
 * Reads what somebody typed, in any case, with any punctuation or none.
 * @returns the code as it is shown; undefined when it cannot be one.
 */
export const readUserCode = (typed: string): string | undefined => {
  if (typed.length > 64) return undefined
  const code = typed.toUpperCase().replace(/[^\p{L}\p{N}]/gu, '')
  const isCode = code.length === length && [...code].every((letter) => letters.includes(letter))
  return isCode ? formatUserCode(code) : undefined
}

const formatUserCode = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`

/** Under which the code is found. @param code as it is shown */
export const digestUserCode = (code: string): Buffer => sha256(`tessera user code 1 ${code}`)
