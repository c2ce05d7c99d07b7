import { basename } from 'node:path'
import type { Import, SourceFile } from './source-file.ts'

// A file may import from its own layer and from those below it.
const layers = [
  ['main', 'cli'],
  ['app', 'deps'],
  ['endpoints', 'plugins', 'jobs', 'health', 'observability'],
  ['grants', 'clients', 'accounts', 'authorize', 'views'],
  ['tokens', 'dpop', 'revocation', 'audit'],
  ['keys', 'secrets', 'outbound'],
  ['oauth'],
] as const

const packageRooms: readonly (readonly [pattern: RegExp, rooms: readonly string[]])[] = [
  [/^(?:fastify|fastify-plugin|@fastify\/.+)$/, ['app', 'endpoints', 'plugins']],
  [/^(?:kysely|pg|pg-.+|ioredis|@electric-sql\/pglite)(?:\/|$)/, ['stores', 'deps', 'cli']],
  [/argon2/, ['secrets']],
  [/^jose(?:\/|$)/, ['keys', 'tokens', 'dpop', 'clients', 'verifier']],
  [/^commander$/, ['cli']],
  [/^eta$/, ['views']],
  [/^(?:undici|ipaddr\.js)$/, ['outbound']],
  [/^(?:prom-client|@opentelemetry\/.+)$/, ['observability']],
]

const standAlone = ['verifier', 'client']
const processRooms = ['main', 'cli']
const vagueNames = /^(?:utils?|helpers?|common|misc|types)$/

/** Says of each breach of the rules of layout and import which file does what it must not. */
export function breaches(files: readonly SourceFile[]): string[] {
  return [
    ...files.flatMap((file) => [...breachesOfFile(file), ...breachesOfImports(file)]),
    ...cycles(files).map((cycle) => `${cycle.join(' → ')}: imports in a circle`),
  ]
}

function breachesOfFile({ path, code }: SourceFile): string[] {
  const rules: readonly (readonly [isBroken: boolean, breach: string])[] = [
    [path.split('/').some(isVague), 'has a name that says nothing'],
    [/^export default\b|\bas default\b/m.test(code), 'has a default export'],
    [
      isSource(path) && !processRooms.includes(roomOf(path)) && /\bprocess\b\s*[.[]/.test(code),
      'touches process, which only main and cli may',
    ],
  ]
  return rules.filter(([isBroken]) => isBroken).map(([, breach]) => `${path}: ${breach}`)
}

function breachesOfImports({ path, imports }: SourceFile): string[] {
  return imports.flatMap((entry) => {
    const reason = isOurs(entry.target) ? refusal(path, entry) : packageRefusal(path, entry.target)
    return reason === undefined ? [] : [`${path}: imports ${entry.target}: ${reason}`]
  })
}

function packageRefusal(path: string, name: string): string | undefined {
  const room = roomOf(path)
  if (path.startsWith('migrations/')) return undefined
  if (/^(?:node:)?process$/.test(name) && !processRooms.includes(room)) {
    return 'only main and cli touch process'
  }
  const rooms = packageRooms.find(([pattern]) => pattern.test(name))?.[1]
  return rooms === undefined || rooms.includes(room) ? undefined : `only for ${rooms.join(', ')}`
}

function refusal(path: string, entry: Import): string | undefined {
  if (path.startsWith('migrations/')) return 'migrations stand alone'
  const [from, to] = [roomOf(path), roomOf(entry.target)]
  if (from === to) return undefined
  if (standAlone.includes(from)) return `${from} is a package of its own`
  if (isForEveryone(from, entry)) return undefined
  if (to === 'stores') {
    return ['deps', 'cli'].includes(from) ? undefined : 'only deps and cli import stores'
  }
  const [above, below] = [from === 'stores' ? storesLayer : layerOf(from), layerOf(to)]
  if (above === undefined || below === undefined) return 'one of them has no place in the layers'
  return above <= below ? undefined : 'imports go downwards only'
}

// A store implements what its consumers declare, which jobs are the highest of.
const storesLayer = layerOf('jobs')

/**
 * The clock; the words of OAuth for the settings; the settings' type; and the type of the joined
 * parts, of which endpoints take a Pick.
 */
function isForEveryone(from: string, { target, typeOnly, names }: Import): boolean {
  if (target === 'src/clock.ts') return true
  if (from === 'config' && roomOf(target) === 'oauth') return true
  if (target === 'src/config.ts') return typeOnly || ['main', 'cli', 'deps'].includes(from)
  if (target !== 'src/deps.ts' || !typeOnly) return false
  return ['endpoints', 'plugins', 'jobs'].includes(from) && names.every((name) => name === 'Deps')
}

/** The folder below src that a file stands in, or its own name when it stands in none. */
function roomOf(path: string): string {
  return (path.split('/')[1] ?? '').replace(/\.ts$/, '')
}

function layerOf(room: string): number | undefined {
  const index = layers.findIndex((layer) => (layer as readonly string[]).includes(room))
  return index === -1 ? undefined : index
}

function isOurs(target: string): boolean {
  return /^(?:src|migrations|test|bench|\.\.)\//.test(target)
}

function isSource(path: string): boolean {
  return path.startsWith('src/')
}

function isVague(segment: string): boolean {
  return vagueNames.test(basename(segment, '.ts'))
}

/** Each circle of files once, starting at the file that was met first. */
function cycles(files: readonly SourceFile[]): string[][] {
  const importsOf = new Map(files.map(({ path, imports }) => [path, imports]))
  const finished = new Set<string>()
  const found: string[][] = []
  const visit = (path: string, trail: readonly string[]) => {
    const start = trail.indexOf(path)
    if (start !== -1) found.push([...trail.slice(start), path])
    if (start !== -1 || finished.has(path)) return
    for (const { target } of importsOf.get(path) ?? []) visit(target, [...trail, path])
    finished.add(path)
  }
  for (const { path } of files) visit(path, [])
  return found
}
