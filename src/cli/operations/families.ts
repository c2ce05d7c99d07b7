import { Type } from 'typebox'
import { isUuid } from '../../accounts/user.ts'
import { toWireStory } from '../../endpoints/admin/family-schema.ts'
import { Problem } from '../../oauth/problem.ts'
import { defineOperation } from './operation.ts'

export const familyOperations = {
  'families.show': defineOperation(
    Type.Object({ familyId: Type.String() }),
    async ({ familyStories }, { familyId }) => {
      const id = familyId.toLowerCase()
      const story = isUuid(id) ? await familyStories.find(id) : undefined
      if (story === undefined) {
        throw new Problem('not_found', {
          detail: `There is no family ${JSON.stringify(familyId)}`,
        })
      }
      return toWireStory(story)
    },
  ),
}
