/** One request, and what its sender wants to know of a good answer. */
export type Exchange = {
  readonly request: string
  readonly finish?: (body: string) => void
}

/** What one connection sends, request after request. */
export type Script = () => Exchange

/** A request with a body, as it goes over the wire. @param body ASCII */
export const post = (
  path: string,
  contentType: string,
  body: string,
  headers: readonly string[] = [],
): string =>
  [
    `POST ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    `Content-Type: ${contentType}`,
    `Content-Length: ${body.length}`,
    ...headers,
    '',
    body,
  ].join('\r\n')

export const postForm = (path: string, form: string, headers: readonly string[] = []): string =>
  post(path, 'application/x-www-form-urlencoded', form, headers)

export const postJson = (path: string, value: object): string =>
  post(path, 'application/json', JSON.stringify(value))

export const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`

/** The same request again and again. */
export const repeat = (request: string): Script => {
  const exchange = { request }
  return () => exchange
}
