import { decodeUtf8, isWellFormedText } from '../../oauth/text.ts'
import { invalidQuery } from '../audit-schema.ts'

/** Where a page ended, as text that callers hand back unread. */
export const encodeCursor = (key: string): string => Buffer.from(key).toString('base64url')

/** @throws {Problem} `validation` for what `encodeCursor` cannot have made */
export const decodeCursor = (cursor: string): string => {
  const key = decodeUtf8(Buffer.from(cursor, 'base64url'))
  if (key !== undefined && isWellFormedText(key) && encodeCursor(key) === cursor) return key
  throw invalidQuery('cursor', 'is not a cursor of this service')
}
