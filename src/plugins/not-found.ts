import type { FastifyInstance } from 'fastify'
import { Problem } from '../oauth/problem.ts'
import { sendError } from './error-handler.ts'
import { pathOf, type RouteTable } from './route-table.ts'

/** Answers unknown addresses with 404, and known ones asked by the wrong method with 405. */
export const registerNotFound = (app: FastifyInstance, routes: RouteTable): void => {
  app.setNotFoundHandler((request, reply) => {
    const entry = routes.find(pathOf(request.url))
    if (entry === undefined || entry.methods.includes(request.method)) {
      return sendError(new Problem('not_found'), request, reply, 'problem')
    }
    reply.header('allow', entry.methods.join(', '))
    return sendError(new Problem('method_not_allowed'), request, reply, entry.errorFormat)
  })
}
