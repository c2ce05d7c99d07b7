import { postForm, type Script } from '../load/request.ts'

/** The current refresh token of many families; every answer brings the next one. */
export type RefreshTokens = {
  /** Requests that go round the families whose index is `offset`, `offset + step`, … */
  scriptOf(offset: number, step: number): Script
}

/** @param first of each family, or what a twin takes for it */
export const createRefreshTokens = (first: readonly string[], clientId: string): RefreshTokens => {
  const current = [...first]
  const exchangeFor = (index: number): ReturnType<Script> => ({
    request: postForm(
      '/token',
      `grant_type=refresh_token&client_id=${clientId}&refresh_token=${current[index]}`,
    ),
    finish: (body) => {
      current[index] = readRefreshToken(body)
    },
  })
  return {
    scriptOf(offset, step) {
      let index = offset
      return () => {
        const exchange = exchangeFor(index)
        index = index + step < current.length ? index + step : offset
        return exchange
      }
    },
  }
}

const marker = '"refresh_token":"'

// The whole answer need not be parsed: the time for that is taken from the server's.
const readRefreshToken = (body: string): string => {
  const start = body.indexOf(marker)
  if (start === -1) throw new Error(`an answer without a refresh token: ${body}`)
  return body.slice(start + marker.length, body.indexOf('"', start + marker.length))
}
