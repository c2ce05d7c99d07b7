import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'

/** What the pages work with. */
export type PageDeps = Pick<
  Deps,
  | 'accounts'
  | 'clients'
  | 'config'
  | 'deviceCodes'
  | 'deviceRequests'
  | 'interactions'
  | 'knownDevices'
>

/** What a page was opened for; in its address, so that reloading and going back do no harm. */
export const visitQuery = Type.Object({
  request: Type.Optional(Type.String()),
  user_code: Type.Optional(Type.String()),
})

const field = Type.Optional(Type.String())

/** A form of a page: fields that were left empty are absent. */
export const formOf = <const Name extends string>(...names: readonly Name[]) =>
  Type.Object(
    Object.fromEntries(['csrf_token', ...names].map((name) => [name, field])) as Record<
      Name | 'csrf_token',
      typeof field
    >,
  )

/** Routes of pages: errors are pages too, and the description of the API leaves them out. */
export const pageConfig = { errorFormat: 'page' } as const
