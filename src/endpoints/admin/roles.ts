import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import type { Role } from '../../accounts/role.ts'
import { permissionNames } from '../../oauth/permission.ts'
import { administratorOf } from '../../plugins/permission.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { type AdminDeps, actOf, adminProblems, adminRoute } from './admin-deps.ts'

const roleSchema = Type.Object(
  {
    name: Type.String(),
    permissions: Type.Array(Type.String({ enum: permissionNames })),
    built_in: Type.Boolean({ description: 'Cannot be changed' }),
  },
  { description: 'A role' },
)

const toWireRole = ({ name, permissions, builtIn }: Role): Static<typeof roleSchema> => ({
  name,
  permissions: [...permissions],
  built_in: builtIn,
})

const listSchema = {
  response: {
    200: Type.Object({ roles: Type.Array(roleSchema) }, { description: 'By name' }),
    ...problemResponses(...adminProblems),
  },
}

const setSchema = {
  params: Type.Object({ name: Type.String() }),
  body: Type.Object(
    { permissions: Type.Array(Type.String(), { maxItems: 100 }) },
    { additionalProperties: false },
  ),
  response: {
    200: roleSchema,
    ...problemResponses(...adminProblems, ...bodyProblems, 'conflict'),
  },
}

const deleteSchema = {
  params: Type.Object({ name: Type.String() }),
  response: {
    204: Type.Null({ description: 'Deleted' }),
    ...problemResponses(
      ...adminProblems,
      ...bodyProblems,
      ...(['not_found', 'conflict', 'role_in_use'] as const),
    ),
  },
}

/** `GET /admin/roles`, `PUT` and `DELETE /admin/roles/:name` */
export const roles: FastifyPluginAsyncTypebox<AdminDeps> = async (app, { roleAdministration }) => {
  app.get(
    '/admin/roles',
    adminRoute('roles.read', 'List roles and what they permit', listSchema),
    async () => ({ roles: (await roleAdministration.listRoles()).map(toWireRole) }),
  )

  app.put(
    '/admin/roles/:name',
    adminRoute('roles.write', 'Create or replace a role', setSchema),
    async (request) => {
      const role = { name: request.params.name, permissions: request.body.permissions }
      const { permissions } = administratorOf(request)
      return toWireRole(await roleAdministration.setRole(role, actOf(request), permissions))
    },
  )

  app.delete(
    '/admin/roles/:name',
    adminRoute('roles.write', 'Delete a role that nobody has', deleteSchema),
    async (request, reply) => {
      const { permissions } = administratorOf(request)
      await roleAdministration.deleteRole(request.params.name, actOf(request), permissions)
      return reply.code(204).send(null)
    },
  )
}
