import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { signingAlgorithms } from '../../oauth/algorithm.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { type AdminDeps, actOf, adminProblems, adminRoute } from './admin-deps.ts'
import { emergencySchema, toWireEmergency } from './key-schema.ts'

const dryRun = Type.Boolean({ description: 'true: only say what would happen, and to whom' })
const response = { 200: emergencySchema, ...problemResponses(...adminProblems, ...bodyProblems) }

const promoteSchema = {
  body: Type.Object(
    {
      algorithm: Type.Enum(signingAlgorithms, { description: 'Of the key' }),
      revoke: Type.String({ description: 'kid of the key that has leaked' }),
      dry_run: dryRun,
    },
    { additionalProperties: false },
  ),
  response,
}

const replaceSchema = {
  body: Type.Object(
    {
      keep_refresh_tokens: Type.Optional(
        Type.Boolean({ description: 'Sign nobody out: tokens of the old MAC keys stay good' }),
      ),
      dry_run: dryRun,
    },
    { additionalProperties: false },
  ),
  response,
}

/** `POST /admin/keys/promote-next` and `POST /admin/keys/replace-all`: for keys that have leaked. */
export const keyEmergencies: FastifyPluginAsyncTypebox<AdminDeps> = async (
  app,
  { keyAdministration: administration },
) => {
  app.post(
    '/admin/keys/promote-next',
    adminRoute('keys.write', 'Revoke a leaked key; the next one signs at once', promoteSchema),
    async (request) => {
      const { dry_run: dryRun, ...chosen } = request.body
      const plan = await administration.promoteNext({ ...chosen, dryRun, by: actOf(request) })
      return toWireEmergency(plan)
    },
  )

  app.post(
    '/admin/keys/replace-all',
    adminRoute('keys.write', 'Revoke all keys and make new ones', replaceSchema),
    async (request) => {
      const { keep_refresh_tokens: keepRefreshTokens = false, dry_run: dryRun } = request.body
      const by = actOf(request)
      return toWireEmergency(await administration.replaceAll({ keepRefreshTokens, dryRun, by }))
    },
  )
}
