import { readFileSync } from 'node:fs'
import { InvalidArgumentError } from 'commander'

/** Option parser: a file that holds one JSON object. */
export const readSettingsFile = (path: string): Readonly<Record<string, unknown>> => {
  const document = readJson(path)
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) {
    return document as Record<string, unknown>
  }
  throw new InvalidArgumentError('It must be a file that holds a JSON object.')
}

const readJson = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}
