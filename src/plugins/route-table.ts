import type { FastifyInstance } from 'fastify'
import type { ErrorFormat } from './error-answer.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Public data that scripts of every origin may read, such as the published keys. */
    publicData?: boolean
  }
}

type Route = {
  readonly methods: readonly string[]
  readonly segments: readonly string[]
  readonly errorFormat: ErrorFormat
  readonly publicData: boolean
}

/** What is registered at a path, whatever the method; undefined when nothing is. */
export type PathEntry = Omit<Route, 'segments'>
export type RouteTable = { find(path: string): PathEntry | undefined }

/** Collects the routes that are registered on `app` and its children from now on. */
export const collectRoutes = (app: FastifyInstance): RouteTable => {
  const routes: Route[] = []
  app.addHook('onRoute', ({ method, url, config }) => {
    // The catch-all that answers preflights is no route of ours.
    if (url.endsWith('*') && method === 'OPTIONS') return
    routes.push({
      methods: [method].flat(),
      segments: url.split('/'),
      errorFormat: config?.errorFormat ?? 'problem',
      publicData: config?.publicData ?? false,
    })
  })
  return { find: (path) => findPath(routes, path.split('/')) }
}

const findPath = (routes: readonly Route[], path: readonly string[]): PathEntry | undefined => {
  const found = routes.filter(({ segments }) => matches(segments, path))
  const [first] = found
  if (first === undefined) return undefined
  const methods = new Set(found.flatMap((route) => route.methods))
  return {
    methods: [...methods].sort(),
    errorFormat: first.errorFormat,
    publicData: first.publicData,
  }
}

const matches = (pattern: readonly string[], path: readonly string[]): boolean =>
  pattern.every((segment, index) => matchesSegment(segment, path[index])) &&
  (pattern.at(-1) === '*' || pattern.length === path.length)

const matchesSegment = (pattern: string, given: string | undefined): boolean =>
  given !== undefined &&
  (pattern === '*' || (pattern.startsWith(':') ? given !== '' : pattern === given))

/** The path of a request's address, without its query. */
export const pathOf = (url: string): string => url.split('?', 1)[0] ?? ''
