/** A value as a cell: lists joined, nothing as a dash, control characters harmless. */
export const toCell = (value: unknown): string => {
  const text = toText(value)
  // A name could otherwise steer the terminal of whoever lists it.
  return text.replaceAll(/\p{Cc}/gu, ' ') || '-'
}

const toText = (value: unknown): string => {
  if (Array.isArray(value)) return value.map(toText).join(' ')
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? '')
}

/** A table of text. @param columns member of a row by the column's title. */
export const formatTable = <R extends object>(
  columns: Readonly<Record<string, keyof R>>,
  rows: readonly R[],
): string => {
  const titles = Object.keys(columns)
  const lines = [
    titles,
    ...rows.map((row) => Object.values(columns).map((key) => toCell(row[key]))),
  ]
  const widths = titles.map((_, index) => Math.max(...lines.map((cells) => width(cells[index]))))
  return lines
    .map((cells) =>
      cells
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Members of one thing, a line each. */
export const formatRecord = (record: object): string => {
  const entries = Object.entries(record)
  const longest = Math.max(...entries.map(([name]) => width(name)))
  return entries.map(([name, value]) => `${name.padEnd(longest)}  ${toCell(value)}`).join('\n')
}

const width = (text = ''): number => text.length
