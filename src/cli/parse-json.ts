import { InvalidArgumentError } from 'commander'

/** Reads an option that is JSON. */
export const parseJson = (text: string): unknown => {
  const parsed = tryParse(text)
  if (parsed === undefined) throw new InvalidArgumentError('It is not JSON.')
  return parsed.value
}

const tryParse = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}
