import { type Static, Type } from 'typebox'
import type { User } from '../../accounts/user.ts'
import { toWireUser, userMembers } from '../auth/user-schema.ts'

/** An account as administrators see it. */
export const accountSchema = Type.Object(
  {
    ...userMembers,
    must_change_password: Type.Boolean({
      description: 'A sign-in permits nothing but a change of the password',
    }),
    deleted_at: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      format: 'date-time',
      description: 'It can be restored until it is purged',
    }),
  },
  { $id: 'AdministeredUser', description: 'An account as administrators see it' },
)

export const accountReference = Type.Unsafe<Static<typeof accountSchema>>(
  Type.Ref('AdministeredUser'),
)

export const toWireAccount = (user: User): Static<typeof accountSchema> => ({
  ...toWireUser(user),
  must_change_password: user.mustChangePassword,
  deleted_at: user.deletedAt?.toISOString() ?? null,
})
