import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { bodyOf, credentials, post, type SignedIn } from '../faults/over-http.ts'

/** What people and machines do without end, each on a kept-alive connection of their own. */
export type Load = {
  readonly people: number
  answered(): number
  stop(): Promise<LoadResult>
}

export type LoadResult = {
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>
  /** What became of requests that got no answer. */
  readonly broken: readonly string[]
}

type Answer = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}
type Content = { readonly headers: Readonly<Record<string, string>>; readonly body: string }

/** Sends one request: a POST where there is something to send. */
export type Exchange = (path: string, content?: Content) => Promise<Answer>

/** One thing that is done again and again. @returns the status of its answer */
export type Act = (exchange: Exchange) => Promise<number>

export const json = (value: object): Content => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

/**
 * Puts a server under load until it is told to stop. Whoever gets no answer tries again with the
 * same token, as a client would.
 * @param people who do nothing but refresh
 * @param others who do something else
 */
export const startLoad = async (
  url: string,
  people = 6,
  others: readonly Act[] = [],
): Promise<Load> => {
  const statuses = new Map<number, number>()
  const broken: string[] = []
  let stopped = false
  const repeat = async (act: Act): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const exchange = exchangeOver(agent, url)
    while (!stopped) {
      try {
        const status = await act(exchange)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException
        broken.push(code ?? message)
      }
    }
    agent.destroy()
  }
  const tokens = await Promise.all(
    Array.from({ length: people }, () =>
      bodyOf<SignedIn>(post({ url }, '/auth/register', credentials())),
    ),
  )
  const refreshes = tokens.map(({ refresh_token: token }) => refreshingFrom(token))
  const running = [...refreshes, ...others].map(repeat)
  return {
    people,
    answered: () => [...statuses.values()].reduce((sum, count) => sum + count, 0),
    async stop() {
      stopped = true
      await Promise.all(running)
      return { statuses, broken }
    },
  }
}

/** Sends to a server over the agent's connections. */
export const exchangeOver =
  (agent: Agent, url: string): Exchange =>
  (path, content) =>
    send(agent, url + path, content)

const refreshingFrom = (first: string): Act => {
  let token = first
  return async (exchange) => {
    const { status, body } = await exchange('/refresh', json({ refresh_token: token }))
    if (status === 200) token = (JSON.parse(body) as SignedIn).refresh_token
    return status
  }
}

const send = (agent: Agent, url: string, content: Content | undefined): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { headers = {}, body } = content ?? {}
    const method = body === undefined ? 'GET' : 'POST'
    const sent = request(url, { agent, method, headers, timeout: 30_000 })
    sent.on('response', (response) => {
      const { statusCode: status = 0, headers } = response
      text(response).then((body) => resolve({ status, headers, body }), reject)
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
    sent.on('error', reject)
    sent.end(body)
  })
