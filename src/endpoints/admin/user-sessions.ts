import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { sessionMembers, toWireSession } from '../auth/sessions.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { type AdminDeps, administering, adminProblems, adminRoute } from './admin-deps.ts'

const listSchema = {
  params: Type.Object({ id: Type.String() }),
  response: {
    200: Type.Object(
      { sessions: Type.Array(Type.Object(sessionMembers)) },
      { description: 'Live ones, newest first' },
    ),
    ...problemResponses(...adminProblems, 'not_found'),
  },
}

const endSchema = {
  params: Type.Object({ id: Type.String(), session: Type.String() }),
  response: {
    204: Type.Null({ description: 'Ended' }),
    ...problemResponses(...adminProblems, ...bodyProblems, 'not_found', 'own_account'),
  },
}

/** `GET /admin/users/:id/sessions` and `DELETE /admin/users/:id/sessions/:session` */
export const userSessions: FastifyPluginAsyncTypebox<AdminDeps> = async (
  app,
  { delegatedAdministration: administration },
) => {
  app.get(
    '/admin/users/:id/sessions',
    adminRoute('sessions.read', 'Where a person is signed in', listSchema),
    async (request) => {
      const sessions = await administration.listSessions(request.params.id)
      return { sessions: sessions.map(toWireSession) }
    },
  )

  app.delete(
    '/admin/users/:id/sessions/:session',
    adminRoute('sessions.write', 'End one session of a person', endSchema),
    async (request, reply) => {
      const { id, session } = request.params
      await administration.endSession(id, session, administering(request))
      return reply.code(204).send(null)
    },
  )
}
