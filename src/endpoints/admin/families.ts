import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { Problem } from '../../oauth/problem.ts'
import { problemResponses } from '../problem-schema.ts'
import { adminProblems, adminRoute } from './admin-deps.ts'
import { storySchema, toWireStory } from './family-schema.ts'

const schema = {
  params: Type.Object({ id: Type.String({ format: 'uuid', description: '`fam` in tokens' }) }),
  response: { 200: storySchema, ...problemResponses('validation', 'not_found', ...adminProblems) },
}

/** `GET /admin/families/:id` */
export const families: FastifyPluginAsyncTypebox<Pick<Deps, 'familyStories'>> = async (
  app,
  { familyStories },
) => {
  const route = adminRoute('sessions.read', 'The story of a refresh-token family', schema)
  app.get('/admin/families/:id', route, async (request) => {
    const story = await familyStories.find(request.params.id)
    if (story === undefined) throw new Problem('not_found')
    return toWireStory(story)
  })
}
