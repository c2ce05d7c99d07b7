import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { bodyOf, credentials, post, type SignedIn } from '../faults/over-http.ts'

/** People who do nothing but refresh, each on a kept-alive connection of their own. */
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

/**
 * Puts a server under load until it is told to stop. Whoever gets no answer tries again with the
 * same token, as a client would.
 */
export const startLoad = async (url: string, people = 6): Promise<Load> => {
  const statuses = new Map<number, number>()
  const broken: string[] = []
  let stopped = false
  const refreshOn = async (agent: Agent, first: string): Promise<void> => {
    let token = first
    while (!stopped) {
      try {
        const { status, body } = await send(agent, url, token)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        if (status === 200) token = (JSON.parse(body) as SignedIn).refresh_token
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
  const running = tokens.map(({ refresh_token: token }) =>
    refreshOn(new Agent({ keepAlive: true, maxSockets: 1 }), token),
  )
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

const send = (
  agent: Agent,
  url: string,
  token: string,
): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' }
    const sent = request(`${url}/refresh`, { agent, method: 'POST', headers, timeout: 30_000 })
    sent.on('response', (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
    sent.on('error', reject)
    sent.end(JSON.stringify({ refresh_token: token }))
  })
