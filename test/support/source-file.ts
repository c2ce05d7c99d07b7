import { posix } from 'node:path'

/** What a source file says about its surroundings. */
export type SourceFile = {
  /** From the root of the repository, such as `src/tokens/issuer.ts`. */
  readonly path: string
  readonly imports: readonly Import[]
  /** The text without comments and without the insides of strings. */
  readonly code: string
}

/** One import, re-export, dynamic import or worker file. */
export type Import = {
  /** A path from the root for our own files, else the name as written, such as `node:fs`. */
  readonly target: string
  /** Whether it is gone at run time. */
  readonly typeOnly: boolean
  /** The names between the braces. */
  readonly names: readonly string[]
}

const commentOrString =
  /(\/\*[\s\S]*?\*\/|\/\/[^\n]*)|('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)/g
const statement = /^(?:import|export)\s+(type\s+)?([^'"=;()]*?)\s*from\s*['"]([^'"]+)['"]/gm
const sideEffect = /^import\s*['"]([^'"]+)['"]/gm
const dynamic = /\bimport\(\s*['"]([^'"]+)['"]/g
const worker = /new URL\(\s*['"](\.[^'"]+\.ts)['"],\s*import\.meta\.url/g

/**
 * Reads the import statements of a file, as the formatter writes them: each at the start of a line.
 *
 * @param path from the root of the repository
 */
export function parseSource(path: string, text: string): SourceFile {
  const uncommented = text.replace(commentOrString, (all, comment) => (comment ? '' : all))
  const resolve = (name: string) =>
    name.startsWith('.') ? posix.join(posix.dirname(path), name) : name
  const statements = [...uncommented.matchAll(statement)].map(
    ([, type, clause = '', name = '']) => {
      const names = namesOf(clause)
      const typeOnly = type !== undefined || (names.length > 0 && allTypes(clause))
      return { target: resolve(name), typeOnly, names }
    },
  )
  const others = [sideEffect, dynamic, worker]
    .flatMap((pattern) => [...uncommented.matchAll(pattern)])
    .map(([, name = '']) => ({ target: resolve(name), typeOnly: false, names: [] }))
  const code = uncommented.replace(commentOrString, "''")
  return { path, imports: [...statements, ...others], code }
}

function specifiers(clause: string): string[] {
  const inBraces = /\{([\s\S]*)\}/.exec(clause)?.[1] ?? ''
  return inBraces.split(',').flatMap((part) => part.trim() || [])
}

function namesOf(clause: string): string[] {
  return specifiers(clause).map((part) => part.replace(/^type\s+/, '').replace(/\s+as\s.*$/, ''))
}

function allTypes(clause: string): boolean {
  return clause.startsWith('{') && specifiers(clause).every((part) => part.startsWith('type '))
}
