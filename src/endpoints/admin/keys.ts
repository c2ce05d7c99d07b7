import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { signingAlgorithms } from '../../oauth/algorithm.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { type AdminDeps, actOf, adminProblems, adminRoute, orEmptyBody } from './admin-deps.ts'
import { keySchema, planSchema, toWireKey, toWirePlan } from './key-schema.ts'

const listSchema = {
  response: {
    200: Type.Object(
      { keys: Type.Array(keySchema) },
      { description: 'The keys that are not gone, by algorithm, oldest first' },
    ),
    ...problemResponses(...adminProblems),
  },
}

const plans = Type.Object({ plans: Type.Array(planSchema) }, { description: 'One per algorithm' })

const planListSchema = { response: { 200: plans, ...problemResponses(...adminProblems) } }

const rotateSchema = {
  body: Type.Object(
    {
      algorithm: Type.Optional(Type.Enum(signingAlgorithms, { description: 'All by default' })),
      dry_run: Type.Optional(Type.Boolean({ description: 'Only say what would happen' })),
    },
    { additionalProperties: false },
  ),
  response: { 200: plans, ...problemResponses(...adminProblems, ...bodyProblems) },
}

/** `GET /admin/keys`, `GET /admin/keys/plan` and `POST /admin/keys/rotate` */
export const keys: FastifyPluginAsyncTypebox<AdminDeps> = async (
  app,
  { keyAdministration: administration },
) => {
  app.get('/admin/keys', adminRoute('keys.read', 'List signing keys', listSchema), async () => ({
    keys: (await administration.list()).map(toWireKey),
  }))

  app.get(
    '/admin/keys/plan',
    adminRoute('keys.read', 'What a rotation would do now', planListSchema),
    async (request) => ({
      plans: (await administration.rotate({ dryRun: true, by: actOf(request) })).map(toWirePlan),
    }),
  )

  app.post(
    '/admin/keys/rotate',
    {
      ...adminRoute('keys.write', 'Promote the next keys where that is safe', rotateSchema),
      preValidation: orEmptyBody,
    },
    async (request) => {
      const { algorithm, dry_run: dryRun = false } = request.body
      const rotation = { ...(algorithm && { algorithm }), dryRun, by: actOf(request) }
      return { plans: (await administration.rotate(rotation)).map(toWirePlan) }
    },
  )
}
