import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { type AdminDeps, actOf, adminProblems, adminRoute } from './admin-deps.ts'
import { macKeySchema, macRotationSchema, toWireMacKey, toWireMacRotation } from './key-schema.ts'

const listSchema = {
  response: {
    200: Type.Object({ keys: Type.Array(macKeySchema) }, { description: 'By number' }),
    ...problemResponses(...adminProblems),
  },
}

const rotateSchema = {
  response: { 200: macRotationSchema, ...problemResponses(...adminProblems, ...bodyProblems) },
}

/** `GET /admin/mac-keys` and `POST /admin/mac-keys/rotate` */
export const macKeys: FastifyPluginAsyncTypebox<AdminDeps> = async (
  app,
  { keyAdministration: administration },
) => {
  app.get(
    '/admin/mac-keys',
    adminRoute('keys.read', 'List the keys of refresh tokens', listSchema),
    async () => ({ keys: (await administration.listMacKeys()).map(toWireMacKey) }),
  )

  app.post(
    '/admin/mac-keys/rotate',
    adminRoute('keys.write', 'Make a new key for refresh tokens', rotateSchema),
    async (request) => toWireMacRotation(await administration.rotateMacKey(actOf(request))),
  )
}
