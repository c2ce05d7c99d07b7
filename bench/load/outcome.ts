import type { Answer } from './connection.ts'

/** @throws {Error} with the answer when its status is none of the expected ones. */
export const checkAnswer = ({ status, body }: Answer, expected: readonly number[]): void => {
  if (!expected.includes(status)) throw new Error(`unexpected answer ${status}: ${body}`)
}
