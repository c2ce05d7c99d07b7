import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Client, isConfidential } from '../clients/client.ts'
import type { Config } from '../config.ts'
import { Problem } from '../oauth/problem.ts'
import { type LimitedCount, rateLimitHeaders, toSeconds } from './rate-limit-headers.ts'
import { addressKey, bodyKeys, type Recognition, refreshQuestion } from './rate-limit-keys.ts'
import {
  type BodyRule,
  type RateLimiter,
  type RateLimitProfile,
  rateLimitPlans,
} from './rate-limiter.ts'
import { SharedCounts } from './shared-counts.ts'

/** @throws {Problem} too_many_requests when the limit is over. */
type CountRequest = (
  profile: RateLimitProfile,
  by: Parameters<RateLimiter['count']>[1],
  key: string,
  /** Where requests that ask the same at once count as one: what they ask. */
  question?: string,
) => Promise<void>

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The limit of the route; `default` when it names none, `false`: it is exempt. */
    rateLimit?: RateLimitProfile | false
  }
  interface FastifyRequest {
    /** Counts the request under a limit; absent where the route is exempt. */
    countRequest?: CountRequest
    /** Counts a request that is counted by its body, for the case that nobody can read that. */
    countUnread?: (() => Promise<void>) | undefined
    /** The next request that asks the same counts for itself. */
    endSharing?: () => void
  }
}

export type RateLimits = Recognition & {
  readonly limiter: RateLimiter
  /** Told of every request that was refused. */
  readonly onLimited: (profile: RateLimitProfile) => void
}

type Options = RateLimits & { readonly limits: Config['rateLimits'] }

/**
 * Counts every request under the limit that its route names, and refuses what goes over it with 429
 * before anything is done for it: by address before the body is read, by what stands in the body
 * before that is looked at; a body that cannot be read counts by address. To be registered after
 * what gives refusals their CORS headers.
 */
export const registerRateLimit = (app: FastifyInstance, options: Options): void => {
  const shared = new SharedCounts()
  const isOff = (profile: RateLimitProfile): boolean => options.limits[profile] === undefined

  // With callbacks: where there is nothing to count, nobody waits for a promise.
  app.addHook('onRequest', (request, reply, done) => {
    const plan = planOf(request)
    if (plan === undefined) return done()
    request.countRequest = countRequests(options, shared, request, reply)
    const rule = plan.onRequest
    if (rule === undefined) {
      request.countUnread = countUnread(request, plan.onBody)
      return done()
    }
    if (isOff(rule.profile)) return done()
    request.countRequest(rule.profile, rule.by, addressKey(request)).then(() => done(), done)
  })

  app.addHook('preValidation', (request, _reply, done) => {
    request.countUnread = undefined
    const rule = planOf(request)?.onBody
    if (rule === undefined || isOff(rule.profile)) return done()
    countBody(request, rule, options).then(() => done(), done)
  })

  app.addHook('onSend', (request, _reply, _payload, done) => {
    request.endSharing?.()
    done()
  })
}

const countBody = async (
  request: FastifyRequest,
  { profile, by, otherwise }: BodyRule,
  options: Options,
): Promise<void> => {
  const key = await bodyKeys[by](request, options)
  const question = by === 'family' ? refreshQuestion(request) : undefined
  if (key !== undefined) await request.countRequest?.(profile, by, key, question)
  else if (otherwise !== undefined) {
    await request.countRequest?.(profile, otherwise, addressKey(request))
  }
}

const countUnread = (request: FastifyRequest, rule: BodyRule | undefined) => async () => {
  request.countUnread = undefined
  if (rule?.otherwise === undefined) return
  await request.countRequest?.(rule.profile, rule.otherwise, addressKey(request))
}

const planOf = ({ routeOptions }: FastifyRequest) => {
  const profile = routeOptions.config?.rateLimit ?? 'default'
  return profile === false ? undefined : rateLimitPlans[profile]
}

const countRequests = (
  { limiter, limits, onLimited }: Options,
  shared: SharedCounts,
  request: FastifyRequest,
  reply: FastifyReply,
): CountRequest => {
  const counts: LimitedCount[] = []
  const countShared = (question: string, count: () => ReturnType<RateLimiter['count']>) => {
    const { counted, end } = shared.share(question, count)
    if (end !== undefined) {
      request.endSharing = end
      // Who goes away without an answer shares no longer.
      reply.raw.once('close', end)
    }
    return counted
  }
  return async (profile, by, key, question) => {
    const countOne = () => limiter.count(profile, by, key)
    const count = await (question === undefined ? countOne() : countShared(question, countOne))
    if (count === undefined) return
    counts.push({ ...count, profile })
    reply.headers(rateLimitHeaders(limits, counts))
    if (!count.isOver) return
    onLimited(profile)
    throw new Problem('too_many_requests', {
      retryAfterSeconds: toSeconds(count),
      cause: `limit ${profile} by ${by}`,
    })
  }
}

/**
 * Counts a request at the token endpoint by the client that has been authenticated. A public client
 * only names itself, so it counts for each address apart: strangers use up nobody's limit.
 * @throws {Problem} too_many_requests when the limit is over.
 */
export const limitClient = async (request: FastifyRequest, client: Client): Promise<void> => {
  const key = isConfidential(client) ? client.id : `${client.id} ${addressKey(request)}`
  await request.countRequest?.('token', 'client', key)
}
