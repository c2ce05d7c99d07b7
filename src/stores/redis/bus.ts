import { EventEmitter } from 'node:events'
import type { RedisServers } from '../../config.ts'
import { type Bus, type BusTopic, busTopics } from '../../revocation/bus.ts'
import { createRedisClient, type RedisClient } from './connection.ts'

type Options = {
  readonly servers: RedisServers
  readonly commandTimeoutMs: number
  /** Keeps services apart that share a Redis. */
  readonly channel: string
  /** Told once when Redis goes away, or is not there at first. */
  readonly onProblem: (error: Error) => void
  /** Told once when it works again after that. */
  readonly onReturn?: () => void
  /** A connection that others send commands on too; the bus connects, watches and closes it. */
  readonly publisher?: RedisClient
}

const probeMs = 1000

const isTopic = (text: string): text is BusTopic => busTopics.some((topic) => topic === text)

/** The bus of several processes, by Redis publish/subscribe. Works again by itself after failures. */
export const createRedisBus = ({
  servers,
  commandTimeoutMs,
  channel,
  onProblem,
  onReturn = () => {},
  publisher = createRedisClient(servers, commandTimeoutMs),
}: Options): Bus => {
  const emitter = new EventEmitter()
  const subscriber = createRedisClient(servers, commandTimeoutMs)
  let lastProblem: string | undefined = 'not connected yet'
  let isListening = false
  let isToldOf = false
  let isClosed = false

  const report = (error: Error): void => {
    // What was on its way when the connections were closed.
    if (isClosed) return
    lastProblem = error.message
    if (!isToldOf) onProblem(error)
    isToldOf = true
  }
  // Subscribed anew at each connection: with the offline queue off, nothing remembers it for us.
  const listen = async (): Promise<void> => {
    await subscriber.subscribe(channel)
    isListening = true
    // What was missed while the connection was away.
    for (const topic of busTopics) emitter.emit(topic)
  }
  // A server may stop answering, and answer again, on a connection that stands.
  const probe = async (): Promise<void> => {
    await publisher.ping()
    if (!isListening) await listen()
    lastProblem = undefined
    if (isToldOf) onReturn()
    isToldOf = false
  }

  for (const client of [publisher, subscriber]) {
    client.on('error', report)
    client.on('close', () => {
      lastProblem ??= 'connection closed'
    })
  }
  publisher.on('ready', () => {
    lastProblem = undefined
  })
  subscriber.on('ready', () => void listen().catch(report))
  subscriber.on('close', () => {
    isListening = false
  })
  subscriber.on('message', (_channel: string, message: string) => {
    if (isTopic(message)) emitter.emit(message)
  })
  for (const client of [publisher, subscriber]) client.connect().catch(report)
  const timer = setInterval(() => void probe().catch(report), probeMs)

  return {
    publish: (topic) => void publisher.publish(channel, topic).catch(report),
    subscribe: (topic, listener) => void emitter.on(topic, listener),
    problem: () => lastProblem,
    async close() {
      isClosed = true
      clearInterval(timer)
      emitter.removeAllListeners()
      for (const client of [publisher, subscriber]) client.disconnect()
    },
  }
}
