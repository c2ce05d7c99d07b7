import { isUtf8 } from 'node:buffer'

/** Has neither NUL nor a lone surrogate: text that Postgres, JSON and a log can all hold. */
export const isWellFormedText = (text: string): boolean =>
  !text.includes('\0') && text.isWellFormed()

/**
 * Whether all texts within a JSON value are well formed, names of members included.
 * @param depth how many levels it may have: what is deeper would exhaust whoever walks it.
 */
export const isWellFormedJson = (value: unknown, depth = 16): boolean => {
  if (typeof value === 'string') return isWellFormedText(value)
  if (typeof value !== 'object' || value === null) return true
  return (
    depth > 0 &&
    Object.entries(value).every(
      ([name, member]) => isWellFormedText(name) && isWellFormedJson(member, depth - 1),
    )
  )
}

/** @returns the text, without a byte order mark; undefined when the bytes are not UTF-8. */
export const decodeUtf8 = (bytes: Uint8Array): string | undefined =>
  isUtf8(bytes)
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        .toString()
        .replace(/^\ufeff/, '')
    : undefined

/** Makes a name that a stranger chose fit to be told back: short, printable ASCII. */
export const toPrintableName = (name: string): string => {
  const printable = name.replace(/[^\x21\x23-\x5b\x5d-\x7e]/g, '?')
  return printable.length > 64 ? `${printable.slice(0, 64)}...` : printable
}
