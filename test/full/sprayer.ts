import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'

/** What a sprayer does; it runs as a worker, lest its work delay whoever measures. */
export type Spray = {
  readonly url: string
  readonly refreshToken: string
  /** Requests that are under way at a time. */
  readonly width: number
  readonly durationMs: number
}

/** How often each answer came, and the successors that the service gave. */
export type Sprayed = {
  /** By status and Retry-After, such as `503 1`. */
  readonly answers: Readonly<Record<string, number>>
  readonly successors: readonly string[]
}

const { url, refreshToken, width, durationMs } = workerData as Spray
const body = JSON.stringify({ refresh_token: refreshToken })
const agent = new Agent({ keepAlive: true, maxSockets: width })
const answers: Record<string, number> = {}
const successors = new Set<string>()

const ask = async (): Promise<void> => {
  const sent = request(`${url}/refresh`, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json' },
  })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  const answer = [response.statusCode, response.headers['retry-after'] ?? ''].join(' ').trim()
  answers[answer] = (answers[answer] ?? 0) + 1
  if (response.statusCode === 200) successors.add(JSON.parse(text).refresh_token)
}

const deadline = performance.now() + durationMs
const goOn = async (): Promise<void> => {
  while (performance.now() < deadline) await ask()
}
await Promise.all(Array.from({ length: width }, goOn))
agent.destroy()
const sprayed: Sprayed = { answers, successors: [...successors] }
parentPort?.postMessage(sprayed)
