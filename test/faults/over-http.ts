import type { ServerProcess } from '../support/server-process.ts'

type Target = Pick<ServerProcess, 'url'>
type Headers = Readonly<Record<string, string>>

/** Posts JSON, or a form, to a server in a process of its own. */
export const post = (
  { url }: Target,
  path: string,
  body: object | URLSearchParams,
  headers: Headers = {},
): Promise<Response> =>
  fetch(new URL(path, url), {
    method: 'POST',
    body: body instanceof URLSearchParams ? body : JSON.stringify(body),
    headers: {
      ...(body instanceof URLSearchParams ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    signal: AbortSignal.timeout(30_000),
  })

export const get = ({ url }: Target, path: string, headers: Headers = {}): Promise<Response> =>
  fetch(new URL(path, url), { headers, signal: AbortSignal.timeout(30_000) })

export type SignedIn = {
  readonly access_token: string
  readonly refresh_token: string
  readonly user: { readonly id: string; readonly email: string }
}

/** The body of an answer that must have succeeded. */
export const bodyOf = async <Body>(answer: Promise<Response>): Promise<Body> => {
  const response = await answer
  const text = await response.text()
  if (!response.ok) throw new Error(`${response.status}: ${text}`)
  return JSON.parse(text) as Body
}

export const credentials = (): { email: string; password: string } => ({
  email: `${crypto.randomUUID()}@example.com`,
  password: `correct horse ${crypto.randomUUID()}`,
})
