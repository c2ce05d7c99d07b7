import type { Environment } from './environment-schema.ts'
import { splitList } from './settings.ts'
import { isKeyEncryptionKey } from './value-forms.ts'

/**
 * The key-encryption keys, from the variable or from the file that the other one names.
 * @returns newest first; none when neither is set
 */
export const readKeyEncryptionKeys = (
  environment: Pick<Environment, 'KEY_ENCRYPTION_KEY' | 'KEY_ENCRYPTION_KEY_FILE'>,
  readFile: (path: string) => string,
): { readonly keys: readonly Buffer[]; readonly problems: readonly string[] } => {
  const { KEY_ENCRYPTION_KEY: value, KEY_ENCRYPTION_KEY_FILE: path } = environment
  const name = value === undefined ? 'KEY_ENCRYPTION_KEY_FILE' : 'KEY_ENCRYPTION_KEY'
  if (value === undefined && path === undefined) return { keys: [], problems: [] }
  try {
    const texts = splitList(value ?? readFile(path ?? ''))
    if (texts.length > 0 && texts.every(isKeyEncryptionKey)) {
      return { keys: texts.map((text) => Buffer.from(text, 'base64')), problems: [] }
    }
    return fail(`${name} must hold 32 bytes in base64, several separated by commas`)
  } catch (error) {
    // The path is not shown: it may be a key that was put into the wrong variable.
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : ''
    return fail(`KEY_ENCRYPTION_KEY_FILE names a file that cannot be read${code}`)
  }
}

const fail = (problem: string) => ({ keys: [], problems: [problem] })
