import underPressure from '@fastify/under-pressure'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import { Unavailable } from '../oauth/unavailable.ts'

type OverloadConfig = Pick<Config, 'overloadEventLoopDelayMs' | 'overloadRequests'>

/** How often the delay of the event loop is looked at, in milliseconds. */
const sampleMs = 500
const retryAfterSeconds = 2

/**
 * Answers 503 at once, instead of late, while the event loop is behind or the process works on too
 * many requests. To be registered after what gives refusals their CORS headers.
 */
export const registerOverload = async (
  app: FastifyInstance,
  { overloadEventLoopDelayMs, overloadRequests }: OverloadConfig,
): Promise<void> => {
  await app.register(underPressure, {
    maxEventLoopDelay: overloadEventLoopDelayMs,
    sampleInterval: sampleMs,
    pressureHandler: (request) =>
      mayShed(request) ? Promise.reject(overloaded('the event loop is behind')) : undefined,
  })
  registerDepthLimit(app, overloadRequests)
}

/** Counts a request from when its body has arrived, so that slow senders use up nobody's place. */
const registerDepthLimit = (app: FastifyInstance, limit: number): void => {
  let running = 0
  app.addHook('preHandler', (request, reply, done) => {
    // Whoever has hung up meanwhile would never be seen to end.
    if (!mayShed(request) || reply.raw.destroyed) return done()
    if (running >= limit) return done(overloaded('too many requests are being worked on'))
    running += 1
    reply.raw.once('close', () => {
      running -= 1
    })
    done()
  })
}

// What is exempt from limits costs next to nothing, and tells others how this process is.
const mayShed = ({ routeOptions }: FastifyRequest): boolean =>
  routeOptions.config?.rateLimit !== false

const overloaded = (reason: string): Unavailable => new Unavailable(reason, { retryAfterSeconds })
