import type { Actor } from '../tokens/authorization.ts'

/** How many may stand between the subject and a service: more is a loop. */
export const mostActors = 8

/**
 * The claim `act` of a token. @returns undefined when it is absent or not in its form; ours are.
 */
export const readActor = (claim: unknown): Actor | undefined => {
  if (!isRecord(claim) || typeof claim.sub !== 'string') return undefined
  const act = readActor(claim.act)
  return {
    sub: claim.sub,
    ...(typeof claim.iss === 'string' ? { iss: claim.iss } : {}),
    ...(act === undefined ? {} : { act }),
  }
}

/** Puts who acts now outermost, before those who acted (RFC 8693 §4.1). */
export const actAfter = (actor: Actor, before: Actor | undefined): Actor => {
  const { act: _own, ...present } = actor
  return before === undefined ? present : { ...present, act: before }
}

export const countActors = (actor: Actor | undefined): number =>
  actor === undefined ? 0 : 1 + countActors(actor.act)

/**
 * Whether the subject's token lets this party act (RFC 8693 §4.4): a token that names nobody leaves
 * it to the client's own settings; one that names somebody in a way not understood lets nobody.
 */
export const mayAct = (claim: unknown, actor: Actor, issuer: string): boolean => {
  if (claim === undefined) return true
  if (!isRecord(claim) || typeof claim.sub !== 'string') return false
  const known = ['sub', 'iss']
  if (Object.keys(claim).some((name) => !known.includes(name))) return false
  return claim.sub === actor.sub && (claim.iss ?? issuer) === (actor.iss ?? issuer)
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
