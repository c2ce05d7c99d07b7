import type { AuditPosition } from './audit-log.ts'

const form =
  /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** A position as text that means nothing to its holder: base64url. */
export const encodeCursor = ({ at, id }: AuditPosition): string =>
  Buffer.from(`${at} ${id}`).toString('base64url')

/** @returns undefined for what `encodeCursor` has not made. */
export const decodeCursor = (cursor: string): AuditPosition | undefined => {
  const [, at, id] = form.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  // Of a date that no calendar has (month 13, the year 0) the database would make an error.
  if (at === undefined || id === undefined || !isCalendarTime(at)) return undefined
  return { at, id }
}

const isCalendarTime = (at: string): boolean => {
  const time = new Date(`${at.slice(0, 19)}Z`)
  if (Number.isNaN(time.getTime()) || time.getUTCFullYear() === 0) return false
  return time.toISOString().slice(0, 19) === at.slice(0, 19)
}
