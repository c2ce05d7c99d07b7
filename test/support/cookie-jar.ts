import type { FastifyInstance, InjectOptions } from 'fastify'

/** A cookie as an answer sets it: its value and its attributes, sorted, without the times. */
export type SetCookie = {
  readonly name: string
  readonly value: string
  readonly maxAge: number | undefined
  readonly attributes: readonly string[]
}

export const parseSetCookies = (header: string | string[] | undefined): SetCookie[] =>
  [header ?? []].flat().map((line) => {
    const [pair = '', ...attributes] = line.split('; ')
    const maxAge = attributes.find((attribute) => attribute.startsWith('Max-Age='))
    return {
      name: pair.slice(0, pair.indexOf('=')),
      value: decodeURIComponent(pair.slice(pair.indexOf('=') + 1)),
      maxAge: maxAge === undefined ? undefined : Number(maxAge.slice('Max-Age='.length)),
      attributes: attributes.filter((text) => !/^(?:Max-Age|Expires)=/.test(text)).sort(),
    }
  })

type Request = {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly payload?: object | string
  readonly headers?: Readonly<Record<string, string>>
}

/** A browser's cookies for one host: it sends what it was given, whoever makes it ask. */
export const createJar = (app: FastifyInstance) => {
  const kept = new Map<string, string>()
  const send = async ({ method = 'POST', url, payload, headers = {} }: Request) => {
    const cookie = [...kept].map(([name, value]) => `${name}=${value}`).join('; ')
    const options: InjectOptions = {
      ...{ method, url },
      headers: { ...(cookie === '' ? {} : { cookie }), ...headers },
      ...(payload === undefined ? {} : { payload }),
    }
    const answer = await app.inject(options)
    const set = parseSetCookies(answer.headers['set-cookie'])
    for (const { name, value, maxAge } of set) {
      if (maxAge === 0) kept.delete(name)
      else kept.set(name, value)
    }
    const json = answer.body === '' ? undefined : answer.json()
    return { status: answer.statusCode, headers: answer.headers, body: answer.body, json, set }
  }
  return { kept, send }
}

export type Jar = ReturnType<typeof createJar>
