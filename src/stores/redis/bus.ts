import { EventEmitter } from 'node:events'
import { type Bus, type BusTopic, busTopics } from '../../revocation/bus.ts'
import { createRedisClient } from './connection.ts'

type Options = {
  readonly url: string
  readonly commandTimeoutMs: number
  /** Keeps services apart that share a Redis. */
  readonly channel: string
  readonly onProblem: (error: Error) => void
}

const isTopic = (text: string): text is BusTopic => busTopics.some((topic) => topic === text)

/** The bus of several processes, by Redis publish/subscribe. Works again by itself after failures. */
export const createRedisBus = ({ url, commandTimeoutMs, channel, onProblem }: Options): Bus => {
  const emitter = new EventEmitter()
  const publisher = createRedisClient(url, commandTimeoutMs)
  const subscriber = createRedisClient(url, commandTimeoutMs)
  let lastProblem: string | undefined = 'not connected yet'

  const report = (error: Error): void => {
    lastProblem = error.message
    onProblem(error)
  }
  for (const client of [publisher, subscriber]) client.on('error', report)
  publisher.on('ready', () => {
    lastProblem = undefined
  })
  publisher.on('close', () => {
    lastProblem ??= 'connection closed'
  })
  // Subscribed anew at each connection: with the offline queue off, nothing remembers it for us.
  subscriber.on('ready', () => {
    subscriber.subscribe(channel).catch(report)
    // What was missed while the connection was away.
    for (const topic of busTopics) emitter.emit(topic)
  })
  subscriber.on('message', (_channel: string, message: string) => {
    if (isTopic(message)) emitter.emit(message)
  })
  for (const client of [publisher, subscriber]) client.connect().catch(report)

  return {
    publish: (topic) => void publisher.publish(channel, topic).catch(report),
    subscribe: (topic, listener) => void emitter.on(topic, listener),
    problem: () => lastProblem,
    async close() {
      emitter.removeAllListeners()
      for (const client of [publisher, subscriber]) client.disconnect()
    },
  }
}
